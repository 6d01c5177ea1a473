package io.hypercalld.api.conformance;

import io.hypercalld.iommu.vtd.FaultStatus;
import io.hypercalld.iommu.vtd.Invalidation;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import io.hypercalld.iommu.vtd.InvalidationQueueFields;
import io.hypercalld.iommu.vtd.QueueMode;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongUnaryOperator;

/**
 * Where the invalidation queue must stand after the stores so far, and what its waits must have
 * written. Carries nothing out. Confined to the thread that runs the case.
 *
 * @see "VT-d §6.5.2"
 */
final class QueueModel {
  /** The status word of a wait. */
  record Status(long maddr, int data) {}

  private final Quirks quirks;
  private final LongUnaryOperator memory;
  private final CaptureHost host;
  private final FaultModel faults;
  private final EventModel completion;
  private final List<Status> written = new ArrayList<>();
  private boolean enabled;
  private boolean signalled;
  private boolean lastWasWait;
  private boolean scalable;
  private long ring;
  private long head;
  private long tail;

  /**
   * @param memory reads a word where the queue's machine has its descriptors
   */
  QueueModel(
      CaptureHost host,
      LongUnaryOperator memory,
      FaultModel faults,
      EventModel completion,
      Quirks quirks) {
    this.host = host;
    this.memory = memory;
    this.faults = faults;
    this.completion = completion;
    this.quirks = quirks;
  }

  void useScalableMode(boolean on) {
    scalable = on;
  }

  /** QIE is written; {@code address} is what IQA holds. */
  void enable(boolean on, long address) {
    if (on == enabled) {
      return;
    }
    if (!on && !quirks.disables(lastWasWait && head == tail)) {
      return;
    }
    enabled = on;
    ring = address;
    head = 0;
    run();
  }

  void writeAddress() {
    if (!enabled) {
      head = 0;
      tail = quirks.tailAfterAddress(tail);
    }
  }

  void writeTail(long value) {
    tail = InvalidationQueueFields.QT.inPlace(value);
    run();
  }

  /** FSTS was written; {@code stopped} says whether IQE had been set. */
  void writeStatus(boolean stopped) {
    if (!stopped || quirks.fetchesAfterError(enabled && head != tail)) {
      run();
    }
  }

  /** ICS was written. */
  void writeCompletion(long value) {
    signalled &= !InvalidationQueueFields.IWC.isSet(value);
    if (!signalled) {
      completion.settle();
    }
  }

  private void run() {
    while (enabled && !faults.hasQueueError() && head != tail) {
      if (!step()) {
        faults.raise(FaultStatus.IQE.mask());
      }
    }
  }

  private boolean step() {
    QueueMode mode =
        new QueueMode(host.unit().capabilities(), InvalidationQueueFields.DW.isSet(ring), scalable);
    int bytes = InvalidationQueueFields.bytes(ring);
    long at = InvalidationQueueFields.base(ring) + head;
    lastWasWait = false;
    if ((mode.wide() && !mode.capabilities().scalableMode())
        || tail >= bytes
        || tail % mode.descriptorBytes() != 0
        || !host.isRam(at, mode.descriptorBytes())) {
      return false;
    }
    InvalidationDescriptor descriptor = descriptor(at, mode.wide());
    Invalidation command = descriptor.decode(mode);
    boolean accepted =
        command instanceof Invalidation.Wait wait
            ? waited(wait)
            : quirks.accepts(descriptor, mode, !(command instanceof Invalidation.Malformed));
    if (accepted) {
      head = (head + mode.descriptorBytes()) % bytes;
    }
    return accepted;
  }

  private InvalidationDescriptor descriptor(long at, boolean wide) {
    return new InvalidationDescriptor(
        memory.applyAsLong(at),
        memory.applyAsLong(at + Long.BYTES),
        wide ? memory.applyAsLong(at + 2 * Long.BYTES) : 0,
        wide ? memory.applyAsLong(at + 3 * Long.BYTES) : 0);
  }

  private boolean waited(Invalidation.Wait wait) {
    lastWasWait = true;
    if (wait.writesStatus()) {
      if (!host.isRam(wait.statusAddress(), Integer.BYTES)) {
        return false;
      }
      written.add(new Status(wait.statusAddress(), wait.statusData()));
    }
    if (wait.interrupt() && !signalled) {
      signalled = true;
      completion.raise();
    }
    return wait.writesStatus() || wait.interrupt() || quirks.acceptsIdleWait();
  }

  /** What waits wrote since the last call. */
  List<Status> takeWritten() {
    List<Status> taken = List.copyOf(written);
    written.clear();
    return taken;
  }

  boolean isEnabled() {
    return enabled;
  }

  long head() {
    return head;
  }

  long tail() {
    return tail;
  }

  long completionStatus() {
    return InvalidationQueueFields.IWC.of(signalled ? 1 : 0);
  }
}
