package io.hypercalld.core.dma;

import io.hypercalld.core.p2m.DmaPermission;

/**
 * What a kernel does in one {@link DmaMode} to learn the bus address of a page of its own, or of
 * one that it has mapped of another's. Confined to the machine thread.
 *
 * <p>Bus addresses are handled as frames: shifted right by 12.
 */
public interface AddressMode {
  /** In place of a bus frame: there is none. */
  long NO_FRAME = -1;

  DmaMode mode();

  /**
   * The bus frame that a device is to be told for a guest frame, good until {@link #unmap}.
   *
   * @param permission what the device is to do there
   * @return {@link #NO_FRAME} where nothing is mapped there, or the hypervisor refused
   */
  long map(long gfn, DmaPermission permission);

  /** The device is done with a bus frame that {@link #map} gave. */
  void unmap(long busFrame);

  /** Hypercalls made so far. */
  long hypercalls();
}
