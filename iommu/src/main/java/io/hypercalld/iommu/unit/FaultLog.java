package io.hypercalld.iommu.unit;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.BitKinds;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.FaultRecord;
import io.hypercalld.iommu.vtd.FaultStatus;
import io.hypercalld.iommu.vtd.Register;
import java.util.ArrayList;
import java.util.List;

/**
 * The fault records and the status register that summarises them. Confined to the machine thread.
 *
 * <p>Records are used strictly in turn: where the next one still waits for software the log
 * overflows, although another may be free. PFO then keeps everything out until software clears it.
 *
 * @see "VT-d §7.2, §11.4.7"
 */
final class FaultLog implements Digestible {
  private final RegisterFile registers;
  private final Capabilities capabilities;
  private final EventLine event;
  private final UnitCounters counters;
  private final BitField recordedAddress;
  private final boolean collapses;
  private int next;

  FaultLog(Circuit circuit, EventLine event) {
    this.registers = circuit.registers();
    this.capabilities = circuit.capabilities();
    this.event = event;
    this.counters = circuit.counters();
    this.collapses = circuit.settings().habits().collapsesFaults();
    this.recordedAddress =
        BitField.bits("recorded", capabilities.maximumGuestAddressWidth() - 1, 0);
    declareStatus();
    declareRecords();
  }

  private void declareStatus() {
    long deviceErrors = FaultStatus.ICE.mask() | FaultStatus.ITE.mask();
    BitKinds kinds = Register.FSTS.kinds();
    registers.declare(
        Register.FSTS, capabilities.deviceTlbs() ? kinds : kinds.without(deviceErrors));
  }

  private void declareRecords() {
    for (int index = 0; index < capabilities.faultRecords(); index++) {
      int offset = capabilities.faultRecordOffset(index);
      String name = "FRCD[" + index + "]";
      registers.declare(offset, name + ".lo", FaultRecord.LO, Register.FAULT_RECORD_LO);
      registers.declare(
          offset + Long.BYTES, name + ".hi", FaultRecord.HI, Register.FAULT_RECORD_HI);
      registers.onWrite(offset + Long.BYTES + Integer.BYTES, _ -> recordWritten());
    }
  }

  /** Records a blocked memory request; false where it was lost. */
  boolean record(MemoryRequest request, FaultReason reason) {
    return record(
        FaultRecord.dmaLo(recordedAddress.inPlace(request.iova())),
        FaultRecord.dmaHi(request.requester().value(), request.prefix(), request.access(), reason));
  }

  /** Records a blocked interrupt request; false where it was lost. */
  boolean recordInterrupt(SourceId requester, int index, FaultReason reason) {
    FaultRecord record = FaultRecord.interrupt(requester, index, reason);
    return record(record.lo(), record.hi());
  }

  private boolean record(long lo, long hi) {
    if (FaultStatus.PFO.isSet(status())) {
      counters.faultsLost++;
      return false;
    }
    if (collapses && hasPending(FaultRecord.SID.getInt(hi))) {
      counters.faultsLost++;
      return false;
    }
    int offset = capabilities.faultRecordOffset(next);
    if (FaultRecord.F.isSet(registers.getWord(offset + Long.BYTES))) {
      counters.faultsLost++;
      counters.faultOverflows++;
      raise(FaultStatus.PFO.mask());
      return false;
    }
    registers.setWord(offset, lo);
    registers.setWord(offset + Long.BYTES, hi);
    int index = next;
    next = (next + 1) % capabilities.faultRecords();
    counters.faultsRecorded++;
    if (!FaultStatus.PPF.isSet(status())) {
      raise(FaultStatus.PPF.mask() | FaultStatus.FRI.of(index));
    }
    return true;
  }

  private boolean hasPending(int sourceId) {
    return pending().stream().anyMatch(fault -> fault.record().sourceId().value() == sourceId);
  }

  /** Whether a requester's next fault would get a record. */
  boolean canRecord(int sourceId) {
    int offset = capabilities.faultRecordOffset(next);
    return !FaultStatus.PFO.isSet(status())
        && !(collapses && hasPending(sourceId))
        && !FaultRecord.F.isSet(registers.getWord(offset + Long.BYTES));
  }

  /** The invalidation queue stopped. */
  void raiseQueueError() {
    raise(FaultStatus.IQE.mask());
  }

  /** A device did not answer an invalidation. */
  void raiseDeviceTimeout() {
    raise(FaultStatus.ITE.mask());
  }

  boolean hasDeviceTimeout() {
    return FaultStatus.ITE.isSet(status());
  }

  /** A device answered an invalidation with nonsense. */
  void raiseCompletionError() {
    raise(FaultStatus.ICE.mask());
  }

  boolean hasCompletionError() {
    return FaultStatus.ICE.isSet(status());
  }

  boolean hasQueueError() {
    return FaultStatus.IQE.isSet(status());
  }

  /** A condition that joins another one is no new event. */
  private void raise(long bits) {
    boolean first = (status() & FaultStatus.CONDITIONS) == 0;
    registers.set(Register.FSTS, status() | bits);
    if (first) {
      event.raise();
    }
  }

  /** Software cleared bits of the status register. */
  void statusWritten() {
    if ((status() & FaultStatus.CONDITIONS) == 0) {
      event.settle();
    }
  }

  /** Software cleared a record's F: PPF falls with the last of them. */
  private void recordWritten() {
    if (pending().isEmpty()) {
      registers.set(Register.FSTS, FaultStatus.FRI.clear(FaultStatus.PPF.clear(status())));
      statusWritten();
    }
  }

  private long status() {
    return registers.get(Register.FSTS);
  }

  /** The records that wait for software, by index. */
  List<PendingFault> pending() {
    List<PendingFault> pending = new ArrayList<>();
    for (int index = 0; index < capabilities.faultRecords(); index++) {
      int offset = capabilities.faultRecordOffset(index);
      FaultRecord record =
          new FaultRecord(registers.getWord(offset), registers.getWord(offset + Long.BYTES));
      if (record.isPending()) {
        pending.add(new PendingFault(index, record));
      }
    }
    return pending;
  }

  /** Index of the record that is written next. */
  int next() {
    return next;
  }

  /** Goes on with a record. */
  void continueWith(int index) {
    next = index;
  }

  /** The log starts at its first record. */
  void powerOn() {
    next = 0;
  }

  /** The records themselves are registers. */
  @Override
  public void digest(StateDigest digest) {
    digest.section("fault-log").put(next);
  }
}
