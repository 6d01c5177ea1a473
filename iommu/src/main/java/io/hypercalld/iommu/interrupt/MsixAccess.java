package io.hypercalld.iommu.interrupt;

import io.hypercalld.core.guest.Emulation;
import io.hypercalld.core.guest.InternalDevices;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.Optional;

/**
 * Guests' accesses to MSI-X tables: what masks a message the hypervisor does itself; what changes
 * one the device model has to hear of, and only when it has is the message let through. Confined to
 * the machine thread.
 *
 * @see "xen/arch/x86/hvm/vmsi.c, msixtbl_read, _msixtbl_write and msix_write_completion"
 */
final class MsixAccess implements InternalDevices {
  private static final long MASKED = 1;
  private static final int HIGH_WORD = 1;

  private final MachineInterrupts machine;

  MsixAccess(MachineInterrupts machine) {
    this.machine = machine;
  }

  @Override
  public Optional<Emulation.Answer> access(Emulation.MmioAccess access) {
    boolean whole = access.size() == Integer.BYTES || access.size() == Long.BYTES;
    if (!whole || access.gpa() % access.size() != 0) {
      return Optional.empty();
    }
    return tables(access)
        .flatMap(tables -> tables.at(access.gpa()))
        .flatMap(table -> access.writes() ? write(access, table) : read(access, table));
  }

  private static Optional<MsixTables> tables(Emulation.MmioAccess access) {
    return access.domain().findFacet(MsixTables.class);
  }

  private Optional<Emulation.Answer> read(Emulation.MmioAccess access, MsixTable table) {
    int entry = table.entryAt(access.gpa());
    int offset = table.offsetAt(access.gpa());
    if (offset == MsixTable.CONTROL_OFFSET) {
      return control(table, entry).map(Emulation.Completed::new);
    }
    int word = offset / Integer.BYTES;
    if (!table.isKnown(entry, word)) {
      return Optional.empty();
    }
    long low = table.word(entry, word);
    if (access.size() == Integer.BYTES) {
      return Optional.of(new Emulation.Completed(low));
    }
    Optional<Long> high =
        word == 0
            ? Optional.of(HIGH_WORD)
                .filter(next -> table.isKnown(entry, next))
                .map(next -> table.word(entry, next))
            : control(table, entry);
    return high.map(bits -> new Emulation.Completed(low | bits << Integer.SIZE));
  }

  /** The control word of an entry whose message is the domain's. */
  private Optional<Long> control(MsixTable table, int entry) {
    return interrupt(table.function(), entry)
        .flatMap(MachineInterrupt::message)
        .map(message -> message.masked() ? MASKED : 0);
  }

  private Optional<MachineInterrupt> interrupt(Sbdf function, int entry) {
    return machine.messagesOf(function).stream()
        .filter(one -> one.message().filter(MsiSource::msiX).isPresent())
        .filter(one -> one.message().orElseThrow().entry() == entry)
        .findFirst();
  }

  private Optional<Emulation.Answer> write(Emulation.MmioAccess access, MsixTable table) {
    int entry = table.entryAt(access.gpa());
    int offset = table.offsetAt(access.gpa());
    long control = access.data();
    if (offset != MsixTable.CONTROL_OFFSET) {
      int word = offset / Integer.BYTES;
      table.write(entry, word, access.data());
      if (access.size() == Integer.BYTES) {
        return Optional.empty();
      }
      if (word == 0) {
        table.write(entry, HIGH_WORD, access.data() >>> Integer.SIZE);
        return Optional.empty();
      }
      control = access.data() >>> Integer.SIZE;
    }
    return writeControl(access, table, entry, control);
  }

  private Optional<Emulation.Answer> writeControl(
      Emulation.MmioAccess access, MsixTable table, int entry, long control) {
    boolean masked = (control & MASKED) != 0;
    if (!masked && table.takeChange(entry)) {
      long lastWord = access.gpa() + access.size() - Integer.BYTES;
      tables(access).ifPresent(tables -> tables.unmaskAfterwards(access.vcpu(), lastWord));
      return Optional.empty();
    }
    return interrupt(table.function(), entry)
        .map(
            interrupt -> {
              machine.setMasked(interrupt, masked);
              return new Emulation.Completed(0);
            });
  }

  @Override
  public void completed(Emulation.MmioAccess access) {
    Optional<MsixTables> tables = tables(access);
    tables
        .flatMap(all -> all.takeUnmasking(access.vcpu()))
        .ifPresent(
            control ->
                tables
                    .flatMap(all -> all.at(control))
                    .flatMap(table -> interrupt(table.function(), table.entryAt(control)))
                    .ifPresent(interrupt -> machine.setMasked(interrupt, false)));
  }
}
