package io.hypercalld.api.debug;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.iommu.driver.UnitDriver;
import io.hypercalld.iommu.interrupt.IoApicPin;
import io.hypercalld.iommu.interrupt.MachineInterrupt;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InterruptEntry;
import io.hypercalld.iommu.vtd.InterruptTableAddress;
import io.hypercalld.iommu.vtd.IoApicEntry;
import io.hypercalld.iommu.vtd.Register;

/**
 * Key {@code V}. Never instantiated.
 *
 * @see "xen/drivers/passthrough/vtd/utils.c, vtd_dump_iommu_info"
 */
final class RemappingDump {
  private RemappingDump() {}

  static void print(Machine machine, Lines out) {
    machine.driver().units().forEach(unit -> printUnit(machine, unit, out));
    int ioApics = machine.interrupts().machine().ioApics().size();
    for (int ioApic = 0; ioApic < ioApics; ioApic++) {
      printIoApic(machine, ioApic, out);
    }
  }

  private static void printUnit(Machine machine, UnitDriver unit, Lines out) {
    RemappingUnit registers = machine.unit(unit.index());
    int status = registers.read32(Register.GSTS.offset());
    out.print("");
    out.print("iommu %x: nr_pt_levels = %x.", unit.index(), unit.levels());
    out.print(
        "  Queued Invalidation: %ssupported%s.",
        not(unit.capabilities().queuedInvalidation()), enabled(GlobalCommand.QIE.isSet(status)));
    boolean remapping = GlobalCommand.IRE.isSet(status);
    out.print(
        "  Interrupt Remapping: %ssupported%s.",
        not(unit.capabilities().interruptRemapping()), enabled(remapping));
    out.print("  Interrupt Posting: %ssupported.", not(unit.capabilities().postedInterrupts()));
    if (remapping) {
      printTable(machine, registers.read64(Register.IRTA.offset()), out);
    }
  }

  private static String not(boolean supported) {
    return supported ? "" : "not ";
  }

  private static String enabled(boolean on) {
    return on ? " and enabled" : "";
  }

  private static void printTable(Machine machine, long irta, Lines out) {
    int entries = InterruptTableAddress.entries(irta);
    out.print("  Interrupt remapping table (nr_entry=0x%x. Only dump P=1 entries here):", entries);
    out.print("R means remapped format, P means posted format.");
    out.print("R:       SVT  SQ   SID  V  AVL FPD      DST DLM TM RH DM P");
    out.print("P:       SVT  SQ   SID  V  AVL FPD              PDA  URG P");
    for (int index = 0; index < entries; index++) {
      long at = InterruptTableAddress.base(irta) + (long) index * InterruptEntry.BYTES;
      InterruptEntry entry =
          new InterruptEntry(
              machine.hypervisor().memory().readWord(at),
              machine.hypervisor().memory().readWord(at + Long.BYTES));
      if (entry.isPresent()) {
        printEntry(index, entry, out);
      }
    }
  }

  private static void printEntry(int index, InterruptEntry entry, Lines out) {
    long lo = entry.lo();
    long hi = entry.hi();
    String common =
        "%04x:  %x   %x  %04x %02x    %x   %x"
            .formatted(
                index,
                InterruptEntry.SVT.get(hi),
                InterruptEntry.SQ.get(hi),
                InterruptEntry.SID.get(hi),
                InterruptEntry.V.get(lo),
                InterruptEntry.AVAIL.get(lo),
                InterruptEntry.FPD.get(lo));
    if (entry.isPosted()) {
      out.print(
          "P:  %s %16x    %x %x",
          common, entry.descriptor(), InterruptEntry.URG.get(lo), InterruptEntry.P.get(lo));
    } else {
      out.print(
          "R:  %s %08x   %x  %x  %x  %x %x",
          common,
          InterruptEntry.DST.get(lo),
          InterruptEntry.DLM.get(lo),
          InterruptEntry.TM.get(lo),
          InterruptEntry.RH.get(lo),
          InterruptEntry.DM.get(lo),
          InterruptEntry.P.get(lo));
    }
  }

  private static void printIoApic(Machine machine, int ioApic, Lines out) {
    out.print("");
    out.print("Redirection table of IOAPIC %x:", ioApic);
    out.print("  #entry IDX FMT MASK TRIG IRR POL STAT DELI  VECTOR");
    for (int pin = 0; pin < IoApicPin.PINS; pin++) {
      int gsi = ioApic * IoApicPin.PINS + pin;
      machine
          .interrupts()
          .machine()
          .find(gsi)
          .flatMap(MachineInterrupt::source)
          .filter(IoApicPin.class::isInstance)
          .map(IoApicPin.class::cast)
          .filter(source -> source.entry().isRemappable())
          .ifPresent(source -> printPin(source, out));
    }
  }

  private static void printPin(IoApicPin pin, Lines out) {
    long entry = pin.entry().value();
    out.print(
        "   %02x:  %04x   %x    %x   %x   %x   %x    %x    %x     %02x",
        pin.pin(),
        pin.entry().index(),
        IoApicEntry.FORMAT.get(entry),
        IoApicEntry.MASK.get(entry),
        IoApicEntry.TRIGGER.get(entry),
        IoApicEntry.RIRR.get(entry),
        IoApicEntry.POLARITY.get(entry),
        IoApicEntry.DS.get(entry),
        0,
        pin.entry().vector());
  }
}
