package io.hypercalld.core.dma;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;

/** What bouncing cost since the last reset. Confined to the machine thread. */
public final class BounceCounters implements Digestible {
  private long bounces;
  private long bytesToDevice;
  private long bytesFromDevice;
  private long overflows;

  /** Buffers for which devices got a part of the pool. */
  public long bounces() {
    return bounces;
  }

  /** Bytes copied into the pool. */
  public long bytesToDevice() {
    return bytesToDevice;
  }

  /** Bytes copied out of the pool. */
  public long bytesFromDevice() {
    return bytesFromDevice;
  }

  /** Bytes copied either way. */
  public long bytesBounced() {
    return bytesToDevice + bytesFromDevice;
  }

  /** Buffers for which devices got the overflow buffer, as the pool was full. */
  public long overflows() {
    return overflows;
  }

  void countBounce() {
    bounces++;
  }

  void countOverflow() {
    overflows++;
  }

  void countIn(int bytes) {
    bytesToDevice += bytes;
  }

  void countOut(int bytes) {
    bytesFromDevice += bytes;
  }

  /** What has them be again what they are now. */
  Runnable restoring() {
    long bouncesNow = bounces;
    long toDeviceNow = bytesToDevice;
    long fromDeviceNow = bytesFromDevice;
    long overflowsNow = overflows;
    return () -> {
      bounces = bouncesNow;
      bytesToDevice = toDeviceNow;
      bytesFromDevice = fromDeviceNow;
      overflows = overflowsNow;
    };
  }

  public void reset() {
    bounces = 0;
    bytesToDevice = 0;
    bytesFromDevice = 0;
    overflows = 0;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("bounces").put(bounces).put(bytesToDevice).put(bytesFromDevice).put(overflows);
  }
}
