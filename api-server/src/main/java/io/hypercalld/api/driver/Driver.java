package io.hypercalld.api.driver;

import java.util.Locale;

/** A kind of driver, as far as addresses of memory matter to it. */
public enum Driver {
  /** Reads blocks by the DMA API, a scatter list a request. */
  DISK,
  /** Receives and sends packets by the DMA API, through a ring that it shares with the device. */
  NIC,
  /** Serves another domain's disk requests in pages that the domain grants. */
  BLKBACK,
  /** Gives received packets to another domain page by page. */
  NETBACK_FLIP,
  /** Copies received packets to pages that another domain grants. */
  NETBACK_COPY,
  /** An old disk driver that tells its device guest-physical addresses. */
  IDE,
  /** A graphics driver that fills the device's table of pages by itself. */
  GART,
  /** A driver that draws into the frame buffer of old adapters, at 0xa0000. */
  VGA,
  /** The console of old adapters, text at 0xb8000. */
  CONSOLE;

  /** Whether it drives a function of PCI. */
  boolean hasDevice() {
    return this != VGA && this != CONSOLE;
  }

  /** As paths spell it: {@code netback-flip}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
