package io.hypercalld.iommu.unit;

import static io.hypercalld.iommu.unit.SimulatedUnit.X;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.CapabilityFields;
import io.hypercalld.iommu.vtd.ExtendedCapabilityFields;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.FaultRecord;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InterruptEntry;
import io.hypercalld.iommu.vtd.InterruptMessage;
import io.hypercalld.iommu.vtd.InterruptTableAddress;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import io.hypercalld.iommu.vtd.PostedDescriptor;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.RemappableMessage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Interrupt remapping and posting: spec/vtd.md 3.6 and 7.8. */
final class InterruptBehaviourTest {
  private static final int ORDER = 9;
  private static final int INDEX = 0x102;
  private static final Capabilities CAPABILITIES =
      with(
          with(
              with(
                  with(
                      with(SimulatedUnit.MODEL, ExtendedCapabilityFields.IR, 1),
                      ExtendedCapabilityFields.EIM,
                      1),
                  ExtendedCapabilityFields.MHMV,
                  15),
              CapabilityFields.PI,
              1),
          CapabilityFields.NFR,
          7);

  private SimulatedUnit it = start(CAPABILITIES, false);
  private long table;
  private QueueSoftware queue = new QueueSoftware(it, 0);

  private static Capabilities with(Capabilities base, BitField field, long value) {
    boolean extended = ExtendedCapabilityFields.LAYOUT.decode(0).containsKey(field.name());
    return extended
        ? new Capabilities(base.cap(), field.put(base.ecap(), value))
        : new Capabilities(field.put(base.cap(), value), base.ecap());
  }

  private SimulatedUnit start(Capabilities capabilities, boolean extended) {
    SimulatedUnit unit = SimulatedUnit.off(capabilities);
    table = unit.newTable();
    unit.newTable();
    unit.unit.write64(Register.IRTA.offset(), InterruptTableAddress.table(table, ORDER, extended));
    unit.unit.write32(Register.GCMD.offset(), SimulatedUnit.bits(GlobalCommand.SIRTP));
    unit.unit.write32(Register.GCMD.offset(), SimulatedUnit.bits(GlobalCommand.IRE));
    return unit;
  }

  private void restart(Capabilities capabilities, boolean extended) {
    it.close();
    it = start(capabilities, extended);
    queue = new QueueSoftware(it, 0);
  }

  @AfterEach
  void close() {
    it.close();
  }

  private void put(int index, InterruptEntry entry) {
    it.memory.writeWord(table + index * 16L, entry.lo());
    it.memory.writeWord(table + index * 16L + 8, entry.hi());
  }

  private static InterruptEntry entry(int vector) {
    return InterruptEntry.remapped(InterruptMessage.fixed(vector, 3), false);
  }

  private InterruptOutcome send(SourceId requester, int handle, int subhandle) {
    RemappableMessage message = RemappableMessage.of(handle, subhandle);
    String before = it.digest();
    InterruptExplanation told =
        it.unit.explainInterrupt(requester, message.address(), message.data());
    assertThat(it.digest()).as("explaining changes nothing").isEqualTo(before);
    InterruptOutcome outcome = it.unit.interrupt(requester, message.address(), message.data());
    assertThat(told.reason().isPresent()).isEqualTo(outcome instanceof InterruptOutcome.Blocked);
    assertThat(told.steps()).isNotEmpty();
    if (outcome instanceof InterruptOutcome.Blocked blocked) {
      assertThat(told.reason()).contains(blocked.reason());
      assertThat(told.recorded()).isEqualTo(blocked.recorded());
      assertThat(told.wouldPassIf()).isPresent();
      assertThat(told.steps()).anyMatch(ExplainStep::isBlocked);
    }
    return outcome;
  }

  private InterruptOutcome send(int index) {
    return send(X, index, 0);
  }

  private FaultReason faultOf(InterruptOutcome outcome) {
    return ((InterruptOutcome.Blocked) outcome).reason();
  }

  /** IEC is flushed by descriptors only, so what is remembered without a queue could never go. */
  @Test
  void entry_isRememberedOnlyWhereTheQueueCanHaveItForgotten() {
    it.command(GlobalCommand.QIE, false);
    put(INDEX, entry(0x41).from(X, 0));
    send(INDEX);
    put(INDEX, entry(0x42).from(X, 0));
    send(INDEX);
    it.command(GlobalCommand.QIE, true);
    send(INDEX);
    put(INDEX, entry(0x43).from(X, 0));
    send(INDEX);

    assertThat(it.messages)
        .containsExactly(
            InterruptMessage.fixed(0x41, 3),
            InterruptMessage.fixed(0x42, 3),
            InterruptMessage.fixed(0x42, 3),
            InterruptMessage.fixed(0x42, 3));
    assertThat(it.unit.interruptCache()).containsOnlyKeys(INDEX);
  }

  @Test
  void remappedEntry_sendsWhatItSays() {
    put(INDEX, entry(0x41).from(X, 0));

    assertThat(send(INDEX)).isInstanceOf(InterruptOutcome.Delivered.class);

    assertThat(it.messages).containsExactly(InterruptMessage.fixed(0x41, 3));
  }

  @Test
  void b116_compatibilityFormat_passesOnlyWithCfiAndWithoutExtendedMode() {
    long address = 0xfee0_3000L;
    assertThat(faultOf(it.unit.interrupt(X, address, 0x31)))
        .isEqualTo(FaultReason.COMPATIBILITY_INTERRUPT_BLOCKED);

    it.command(GlobalCommand.CFI, true);
    it.unit.interrupt(X, address, 0x31);
    assertThat(it.messages).containsExactly(InterruptMessage.written(address, 0x31));

    restart(CAPABILITIES, true);
    it.command(GlobalCommand.CFI, true);
    assertThat(faultOf(it.unit.interrupt(X, address, 0x31)))
        .isEqualTo(FaultReason.COMPATIBILITY_INTERRUPT_BLOCKED);
  }

  @ParameterizedTest
  @CsvSource({"0x200, 0", "0x1ff, 1", "0xffff, 1"})
  void b117_indexBeyondTheTable_isBlockedWithoutWrapping(int handle, int subhandle) {
    put(0, entry(0x41));

    assertThat(faultOf(send(X, handle, subhandle)))
        .isEqualTo(FaultReason.INTERRUPT_INDEX_BEYOND_TABLE);
  }

  @Test
  void b118b82_absentEntry_isRecordedUnlessFpdSaysNo() {
    assertThat(send(INDEX))
        .isEqualTo(
            new InterruptOutcome.Blocked(FaultReason.INTERRUPT_ENTRY_NOT_PRESENT, INDEX, true));
    FaultRecord record = it.record(0);
    assertThat(record)
        .isEqualTo(FaultRecord.interrupt(X, INDEX, FaultReason.INTERRUPT_ENTRY_NOT_PRESENT));

    put(INDEX, new InterruptEntry(InterruptEntry.FPD.mask(), 0));
    assertThat(send(INDEX))
        .isEqualTo(
            new InterruptOutcome.Blocked(FaultReason.INTERRUPT_ENTRY_NOT_PRESENT, INDEX, false));
  }

  @Test
  void b119_reservedBits_areFaults() {
    put(INDEX, new InterruptEntry(entry(0x41).lo() | 1 << 12, 0));
    put(INDEX + 1, new InterruptEntry(entry(0x41).lo() | 1L << 32, 0));
    put(INDEX + 2, new InterruptEntry(entry(0x41).lo(), 1L << 20));
    put(INDEX + 3, new InterruptEntry(InterruptEntry.DLM.put(entry(0x41).lo(), 3), 0));
    put(INDEX + 4, new InterruptEntry(entry(0x41).lo(), InterruptEntry.SVT.of(3)));

    for (int index = INDEX; index <= INDEX + 4; index++) {
      assertThat(faultOf(send(index))).isEqualTo(FaultReason.INTERRUPT_ENTRY_RESERVED);
    }
  }

  @Test
  void extendedMode_takes32BitsOfDestination() {
    restart(CAPABILITIES, true);
    put(INDEX, InterruptEntry.remapped(InterruptMessage.fixed(0x41, 0x1_0203), true));

    send(INDEX);

    assertThat(it.messages).containsExactly(InterruptMessage.fixed(0x41, 0x1_0203));
  }

  @ParameterizedTest
  @CsvSource({
    "3, 0x387, true",
    "3, 0x388, false",
    "0, 0x380, true",
    "0, 0x381, false",
    "1, 0x384, true",
    "1, 0x382, false",
    "2, 0x386, true",
    "2, 0x381, false"
  })
  void b120_sourceId_isComparedUnderItsQualifier(int qualifier, int requester, boolean passes) {
    put(INDEX, entry(0x41).from(new SourceId(0x380), qualifier));

    InterruptOutcome outcome = send(new SourceId(requester), INDEX, 0);

    assertThat(outcome instanceof InterruptOutcome.Delivered).isEqualTo(passes);
    if (!passes) {
      assertThat(faultOf(outcome)).isEqualTo(FaultReason.INTERRUPT_SOURCE_INVALID);
    }
  }

  @ParameterizedTest
  @CsvSource({"0x200, false", "0x300, true", "0x4ff, true", "0x500, true", "0x600, false"})
  void b121_busRange_startsInTheHighByte(int requester, boolean passes) {
    put(INDEX, entry(0x41).fromBuses(3, 5));

    InterruptOutcome outcome = send(new SourceId(requester), INDEX, 0);

    assertThat(outcome instanceof InterruptOutcome.Delivered).isEqualTo(passes);
  }

  @Test
  void b122_dataBeyondTheSubhandle_isBlockedBeforeTheEntryIsLookedAt() {
    long address = RemappableMessage.of(INDEX, 0).address();

    assertThat(faultOf(it.unit.interrupt(X, address, 0x1_0001)))
        .isEqualTo(FaultReason.INTERRUPT_REQUEST_RESERVED);
    assertThat(faultOf(it.unit.interrupt(X, 1L << 32 | address, 0)))
        .isEqualTo(FaultReason.INTERRUPT_REQUEST_RESERVED);
    assertThat(it.record(0).interruptIndex()).isZero();
  }

  @Test
  void b123_entryChanged_isUsedOnceItsCachedOneIsInvalidated() {
    put(INDEX, entry(0x41));
    send(INDEX);
    put(INDEX, entry(0x42));

    send(INDEX);
    queue.submit(InvalidationDescriptor.interrupts(INDEX + 1, 0));
    send(INDEX);
    assertThat(it.messages).extracting(InterruptMessage::vector).containsOnly(0x41);
    assertThat(it.unit.explainInterrupt(X, RemappableMessage.of(INDEX, 0).address(), 0).stale())
        .isTrue();

    queue.submit(InvalidationDescriptor.interrupts(INDEX, 0));
    send(INDEX);
    assertThat(it.messages.getLast().vector()).isEqualTo(0x42);

    put(INDEX, entry(0x43));
    queue.submit(InvalidationDescriptor.allInterrupts());
    send(INDEX);
    assertThat(it.messages.getLast().vector()).isEqualTo(0x43);
  }

  @Test
  void b124_indexMask_dropsAlignedRuns() {
    for (int index = 0xff; index <= 0x104; index++) {
      put(index, entry(0x41));
      send(index);
    }

    queue.submit(InvalidationDescriptor.interrupts(0x102, 2));

    assertThat(it.unit.interruptCache()).containsOnlyKeys(0xff, 0x104);
  }

  @Test
  void absentEntry_isNotRemembered() {
    send(INDEX);
    put(INDEX, entry(0x41));

    assertThat(send(INDEX)).isInstanceOf(InterruptOutcome.Delivered.class);
  }

  @Test
  void b125_remappingOff_everythingPassesAsWritten() {
    it.command(GlobalCommand.IRE, false);

    it.unit.interrupt(X, RemappableMessage.of(INDEX, 0).address(), 0x31);

    assertThat(it.messages).hasSize(1);
    assertThat(it.status()).isZero();
  }

  private long post(long control, boolean urgent) {
    long descriptor = it.newTable();
    it.memory.writeWord(descriptor + PostedDescriptor.CONTROL_OFFSET, control);
    put(INDEX, InterruptEntry.posted(descriptor, 0x41, urgent).from(X, 0));
    return descriptor;
  }

  private long control(long descriptor) {
    return it.memory.readWord(descriptor + PostedDescriptor.CONTROL_OFFSET);
  }

  @Test
  void b126_posting_notifiesOnceUntilTheProcessorHasLooked() {
    long descriptor = post(PostedDescriptor.control(0xf2, 7, false), false);

    send(INDEX);
    send(INDEX);

    assertThat(it.memory.readWord(descriptor + 8)).isEqualTo(1L << 1);
    assertThat(PostedDescriptor.ON.isSet(control(descriptor))).isTrue();
    assertThat(it.messages).containsExactly(InterruptMessage.fixed(0xf2, 7));
  }

  @Test
  void b127_suppressedNotification_isSentForUrgentEntriesOnly() {
    long control = PostedDescriptor.SN.set(PostedDescriptor.control(0xf2, 7, false));
    long descriptor = post(control, false);

    send(INDEX);

    assertThat(it.memory.readWord(descriptor + 8)).isNotZero();
    assertThat(control(descriptor)).isEqualTo(control);
    assertThat(it.messages).isEmpty();

    long urgent = post(control, true);
    queue.submit(InvalidationDescriptor.allInterrupts());
    send(INDEX);
    assertThat(PostedDescriptor.ON.isSet(control(urgent))).isTrue();
    assertThat(it.messages).hasSize(1);
  }

  @Test
  void badDescriptors_areFaultsOfTheirOwn() {
    put(INDEX, InterruptEntry.posted(SimulatedUnit.BEYOND_RAM, 0x41, false));
    assertThat(faultOf(send(INDEX))).isEqualTo(FaultReason.POSTED_DESCRIPTOR_UNREADABLE);

    post(1L << 2, false);
    queue.submit(InvalidationDescriptor.allInterrupts());
    assertThat(faultOf(send(INDEX))).isEqualTo(FaultReason.POSTED_DESCRIPTOR_RESERVED);
  }

  @Test
  void b128_postedEntryWithoutPostingUnit_isReserved() {
    restart(with(CAPABILITIES, CapabilityFields.PI, 0), false);
    post(0, false);

    assertThat(faultOf(send(INDEX))).isEqualTo(FaultReason.INTERRUPT_ENTRY_RESERVED);
  }

  @Test
  void tableOutsideMemory_isUnreadable() {
    it.unit.write64(
        Register.IRTA.offset(),
        InterruptTableAddress.table(SimulatedUnit.BEYOND_RAM, ORDER, false));
    assertThat(faultOf(send(INDEX))).isEqualTo(FaultReason.INTERRUPT_ENTRY_NOT_PRESENT);

    it.unit.write32(
        Register.GCMD.offset(), SimulatedUnit.bits(GlobalCommand.SIRTP, GlobalCommand.IRE));
    assertThat(faultOf(send(INDEX))).isEqualTo(FaultReason.INTERRUPT_ENTRY_UNREADABLE);
  }
}
