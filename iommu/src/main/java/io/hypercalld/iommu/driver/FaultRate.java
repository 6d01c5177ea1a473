package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;

/**
 * How fast a device faults. Confined to the machine thread.
 *
 * @see "xen/drivers/passthrough/pci.c, pci_check_disable_device"
 */
public final class FaultRate implements Digestible {
  /** At so many faults a device is stopped: {@code PT_FAULT_THRESHOLD}. */
  public static final int THRESHOLD = 10;

  /** A pause of more nanoseconds than this halves the count: 10 ms. */
  public static final long PAUSE = 10_000_000;

  private long last;
  private int count;

  FaultRate() {}

  /** Counts a fault at a time in nanoseconds; whether the device is to be stopped. */
  public boolean count(long now) {
    int kept = now - last > PAUSE ? count >> 1 : count;
    last = now;
    count = kept + 1;
    return count >= THRESHOLD;
  }

  /** Faults that are held against the device now. */
  public int count() {
    return count;
  }

  /** Begins anew, as with a new owner. */
  void forget() {
    count = 0;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(last).put(count);
  }
}
