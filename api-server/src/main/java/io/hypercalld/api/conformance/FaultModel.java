package io.hypercalld.api.conformance;

import io.hypercalld.iommu.vtd.FaultRecord;
import io.hypercalld.iommu.vtd.FaultStatus;
import java.util.Arrays;

/**
 * What FSTS and the fault records must hold after the faults and stores so far. Confined to the
 * thread that runs the case.
 *
 * @see "VT-d §7.2, §11.4.7"
 */
final class FaultModel {
  private static final long CLEARED_BY_ONE = FaultStatus.PFO.mask() | FaultStatus.IQE.mask();

  private final EventModel event;
  private final boolean collapses;
  private final FaultRecord[] records;
  private int next;
  private long status;

  /**
   * @param collapses whether a fault gets no record while one of the same requester is pending
   */
  FaultModel(EventModel event, int records, boolean collapses) {
    this.event = event;
    this.collapses = collapses;
    this.records = new FaultRecord[records];
    Arrays.fill(this.records, new FaultRecord(0, 0));
  }

  void record(FaultRecord fault) {
    if (FaultStatus.PFO.isSet(status) || (collapses && isPending(fault))) {
      return;
    }
    if (records[next].isPending()) {
      raise(FaultStatus.PFO.mask());
      return;
    }
    records[next] = fault;
    if (!FaultStatus.PPF.isSet(status)) {
      raise(FaultStatus.PPF.mask() | FaultStatus.FRI.of(next));
    }
    next = (next + 1) % records.length;
  }

  private boolean isPending(FaultRecord fault) {
    for (FaultRecord each : records) {
      if (each.isPending() && each.sourceId().equals(fault.sourceId())) {
        return true;
      }
    }
    return false;
  }

  private boolean isAnyPending() {
    for (FaultRecord each : records) {
      if (each.isPending()) {
        return true;
      }
    }
    return false;
  }

  /** Conditions arise; only the first of several is an event. */
  void raise(long conditions) {
    boolean first = (status & FaultStatus.CONDITIONS) == 0;
    status |= conditions;
    if (first) {
      event.raise();
    }
  }

  void writeStatus(long value) {
    status &= ~(value & CLEARED_BY_ONE);
    settle();
  }

  /** A store to the word of a record that has F. */
  void writeRecord(int index, long word) {
    FaultRecord before = records[index];
    if (FaultRecord.F.isSet(word) && before.isPending()) {
      records[index] = new FaultRecord(before.lo(), FaultRecord.F.clear(before.hi()));
      if (!isAnyPending()) {
        status = FaultStatus.FRI.clear(FaultStatus.PPF.clear(status));
        settle();
      }
    }
  }

  private void settle() {
    if ((status & FaultStatus.CONDITIONS) == 0) {
      event.settle();
    }
  }

  boolean hasQueueError() {
    return FaultStatus.IQE.isSet(status);
  }

  long status() {
    return status;
  }

  FaultRecord record(int index) {
    return records[index];
  }
}
