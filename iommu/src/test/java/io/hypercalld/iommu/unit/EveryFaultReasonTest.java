package io.hypercalld.iommu.unit;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.CapabilityFields;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.ExtendedCapabilityFields;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InterruptEntry;
import io.hypercalld.iommu.vtd.InterruptMessage;
import io.hypercalld.iommu.vtd.InterruptTableAddress;
import io.hypercalld.iommu.vtd.PageRequest;
import io.hypercalld.iommu.vtd.PasidEntry;
import io.hypercalld.iommu.vtd.PasidPrefix;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.RemappableMessage;
import io.hypercalld.iommu.vtd.RootTableAddress;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Every fault reason has a request that ends with it. */
class EveryFaultReasonTest {
  private static final SourceId X = SimulatedUnit.X;
  private static final long IOVA = 0x5000;
  private static final long PAGE = 0x200_0000L;
  private static final int INDEX = 7;
  private static final Capabilities INTERRUPTS =
      new Capabilities(
          CapabilityFields.PI.set(SimulatedUnit.MODEL.cap()),
          ExtendedCapabilityFields.IR.set(SimulatedUnit.MODEL.ecap()));

  /** Page requests, and walks that snoop only where the PASID entry says so. */
  private static final Capabilities SCALABLE =
      new Capabilities(
          ScalableUnit.CAPABILITIES.cap(),
          ScalableUnit.CAPABILITIES.ecap()
              | ExtendedCapabilityFields.DT.of(1)
              | ExtendedCapabilityFields.PRS.of(1)
              | ExtendedCapabilityFields.SMPWCS.of(1));

  @Test
  void requests_endWithEveryReasonThereIs() {
    Set<FaultReason> met = EnumSet.noneOf(FaultReason.class);

    ScalableFaultTest.reasons().forEach(met::add);
    legacy().forEach(change -> met.addAll(reasonsOfLegacy(change)));
    interrupts().forEach(request -> met.addAll(reasonsOfInterrupts(request)));
    scalable().forEach(change -> met.addAll(reasonsOfScalable(change)));

    assertThat(met).isEqualTo(EnumSet.allOf(FaultReason.class));
  }

  private static Set<FaultReason> reasonsOfLegacy(Consumer<SimulatedUnit> change) {
    try (SimulatedUnit it = SimulatedUnit.on()) {
      it.map(IOVA, PAGE);
      change.accept(it);
      it.read(IOVA);
      it.write(IOVA);
      return it.unit.counters().faults().keySet();
    }
  }

  private static Stream<Consumer<SimulatedUnit>> legacy() {
    ContextEntry passing = ContextEntry.passingThrough(AddressWidth.BITS_48, 5);
    return Stream.of(
        it -> it.root(X, 0, 0),
        it -> it.root(X, 1 << 5 | 1, 0),
        it -> it.root(X, SimulatedUnit.BEYOND_RAM | 1, 0),
        it -> it.setRootPointer(SimulatedUnit.BEYOND_RAM),
        it -> it.context(0, 0),
        it -> it.context(it.entry().lo() | 1 << 4, it.entry().hi()),
        it -> it.context(it.entry().lo() | 0b1100, it.entry().hi()),
        it -> it.read(1L << 48),
        it -> it.put(IOVA, 1, 0),
        it -> it.put(IOVA, 2, SimulatedUnit.BEYOND_RAM | 3),
        it -> it.put(IOVA, 1, PAGE | 3 | 1L << 62),
        it -> it.put(IOVA, 1, 0xfee0_0003L),
        it -> it.translate(X, IOVA, DmaAccess.TRANSLATION_REQUEST),
        it -> it.unit.translate(X, PasidPrefix.of(1), IOVA, DmaAccess.READ, it.translation),
        it -> mode(it, 0b10),
        it -> mode(it, 0b11),
        it -> {
          it.context(passing.lo(), passing.hi());
          it.read(1L << SimulatedUnit.HOST_ADDRESS_WIDTH);
        });
  }

  private static void mode(SimulatedUnit it, int mode) {
    it.unit.write64(Register.RTADDR.offset(), RootTableAddress.TTM.put(it.rootTable, mode));
    it.unit.write32(
        Register.GCMD.offset(), SimulatedUnit.bits(GlobalCommand.SRTP, GlobalCommand.TE));
  }

  /** A unit that remaps, its table, and somebody who sends to entry {@link #INDEX}. */
  private record Remapping(SimulatedUnit it, long table) {
    void entry(long lo, long hi) {
      it.memory.writeWord(table + INDEX * 16L, lo);
      it.memory.writeWord(table + INDEX * 16L + 8, hi);
    }

    void entry(InterruptEntry entry) {
      entry(entry.lo(), entry.hi());
    }

    void send(int index) {
      it.unit.interrupt(X, PasidPrefix.NONE, RemappableMessage.of(index, 0));
    }
  }

  private static RemappableMessage message() {
    return RemappableMessage.of(INDEX, 0);
  }

  private static Set<FaultReason> reasonsOfInterrupts(Consumer<Remapping> request) {
    try (SimulatedUnit it = SimulatedUnit.off(INTERRUPTS)) {
      long table = it.newTable();
      it.unit.write64(Register.IRTA.offset(), InterruptTableAddress.table(table, 7, false));
      it.unit.write32(Register.GCMD.offset(), SimulatedUnit.bits(GlobalCommand.SIRTP));
      it.unit.write32(Register.GCMD.offset(), SimulatedUnit.bits(GlobalCommand.IRE));
      Remapping remapping = new Remapping(it, table);
      remapping.entry(InterruptEntry.remapped(InterruptMessage.fixed(0x41, 3), false));
      request.accept(remapping);
      remapping.send(INDEX);
      return it.unit.counters().faults().keySet();
    }
  }

  private static Stream<Consumer<Remapping>> interrupts() {
    InterruptEntry entry = InterruptEntry.remapped(InterruptMessage.fixed(0x41, 3), false);
    long descriptor = 0x10_0000L;
    return Stream.of(
        it -> it.it.unit.interrupt(X, 1L << 32 | message().address(), 0),
        it -> it.send(1 << 8),
        it -> it.entry(0, 0),
        it -> {
          it.it.unit.write64(
              Register.IRTA.offset(),
              InterruptTableAddress.table(SimulatedUnit.BEYOND_RAM, 7, false));
          it.it.unit.write32(
              Register.GCMD.offset(), SimulatedUnit.bits(GlobalCommand.IRE, GlobalCommand.SIRTP));
        },
        it -> it.entry(entry.lo() | 1 << 12, 0),
        it -> it.it.unit.interrupt(X, 0xfee0_0000L, 0x41),
        it -> it.entry(entry.from(new SourceId(1), 0)),
        it -> it.entry(InterruptEntry.posted(SimulatedUnit.BEYOND_RAM, 0x41, false)),
        it -> {
          it.it.memory.writeWord(descriptor + 32, 1L << 2);
          it.entry(InterruptEntry.posted(descriptor, 0x41, false));
        },
        it -> it.it.unit.interrupt(X, PasidPrefix.of(1), message()));
  }

  private static Set<FaultReason> reasonsOfScalable(Consumer<ScalableUnit> change) {
    try (ScalableUnit it = ScalableUnit.on(SCALABLE)) {
      it.map(IOVA, PAGE);
      it.mapSecond(IOVA, PAGE, 3);
      it.pasid(it.firstLevelEntry());
      change.accept(it);
      it.read(IOVA);
      return it.unit.counters().faults().keySet();
    }
  }

  private static Stream<Consumer<ScalableUnit>> scalable() {
    return Stream.of(
        it -> rootPointer(it, SimulatedUnit.BEYOND_RAM),
        it -> {
          it.pasid(PasidEntry.passingThrough(5));
          it.read(1L << SimulatedUnit.HOST_ADDRESS_WIDTH);
        },
        it -> it.unit.requestPage(pageRequest()),
        it -> {
          it.it.command(GlobalCommand.TE, false);
          it.unit.requestPage(pageRequest());
        },
        it -> it.pasid(it.firstLevelEntry()),
        it -> it.pasid(marking(it.secondLevelEntry())),
        it -> refuseMarks(it, it.firstLevelEntry()),
        it -> refuseMarks(it, marking(it.secondLevelEntry())));
  }

  private static void rootPointer(ScalableUnit it, long table) {
    it.unit.write64(Register.RTADDR.offset(), RootTableAddress.TTM.put(table, 1));
    it.unit.write32(
        Register.GCMD.offset(),
        SimulatedUnit.bits(GlobalCommand.SRTP, GlobalCommand.TE, GlobalCommand.QIE));
  }

  private static PageRequest pageRequest() {
    return new PageRequest(X, PasidPrefix.NONE, IOVA, true, false, true, 1);
  }

  private static PasidEntry marking(PasidEntry entry) {
    return new PasidEntry(PasidEntry.SLADE.set(entry.q0()), entry.q1(), entry.q2(), entry.rest());
  }

  /** Has walks snoop, but memory refuse the next mark. */
  private static void refuseMarks(ScalableUnit it, PasidEntry entry) {
    it.pasid(
        new PasidEntry(entry.q0(), PasidEntry.PWSNP.set(entry.q1()), entry.q2(), entry.rest()));
    it.unit
        .malfunctions()
        .add(
            new Malfunction(
                new Malfunction.Target(Optional.of(Malfunction.Command.MARK), Optional.empty()),
                0,
                1,
                Malfunction.Effect.QUEUE_ERROR));
  }
}
