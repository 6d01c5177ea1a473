package io.hypercalld.iommu.audit;

import io.hypercalld.core.Hypervisor;
import io.hypercalld.iommu.driver.InterruptTable;
import io.hypercalld.iommu.driver.UnitDriver;
import io.hypercalld.iommu.driver.VtdDriver;
import io.hypercalld.iommu.interrupt.DomainPirqs;
import io.hypercalld.iommu.interrupt.MachineInterrupt;
import io.hypercalld.iommu.interrupt.MachineInterrupts;
import io.hypercalld.iommu.interrupt.MachineInterrupts.EntryPlace;
import io.hypercalld.iommu.interrupt.Pirq;
import io.hypercalld.iommu.vtd.InterruptEntry;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** I7: the interrupt-remapping entries against the interrupts that they are for. */
final class InterruptAudit {
  private final Hypervisor hypervisor;
  private final VtdDriver driver;
  private final MachineInterrupts interrupts;

  InterruptAudit(Hypervisor hypervisor, VtdDriver driver, MachineInterrupts interrupts) {
    this.hypervisor = hypervisor;
    this.driver = driver;
    this.interrupts = interrupts;
  }

  void check(List<Violation> found) {
    Map<EntryPlace, MachineInterrupt> users = new HashMap<>();
    Set<Integer> mapped = mapped();
    for (MachineInterrupt interrupt : interrupts.all()) {
      interrupts.placeOf(interrupt).ifPresent(place -> enter(users, place, interrupt, found));
      if (interrupt.message().isPresent() && !mapped.contains(interrupt.number())) {
        found.add(violation("interrupt %d is no domain's".formatted(interrupt.number())));
      }
    }
    driver.units().forEach(unit -> checkTable(unit, users, found));
    users.forEach(
        (place, interrupt) ->
            found.add(
                violation(
                    "interrupt %d has entry 0x%x of iommu %d, which is free"
                        .formatted(interrupt.number(), place.index(), place.iommu()))));
  }

  private Set<Integer> mapped() {
    return hypervisor.domains().all().stream()
        .flatMap(domain -> domain.findFacet(DomainPirqs.class).stream())
        .flatMap(pirqs -> pirqs.all().stream())
        .map(Pirq::irq)
        .collect(Collectors.toSet());
  }

  private static void enter(
      Map<EntryPlace, MachineInterrupt> users,
      EntryPlace place,
      MachineInterrupt interrupt,
      List<Violation> found) {
    MachineInterrupt other = users.putIfAbsent(place, interrupt);
    if (other != null) {
      found.add(
          violation(
              "interrupts %d and %d share entry 0x%x of iommu %d"
                  .formatted(other.number(), interrupt.number(), place.index(), place.iommu())));
    }
  }

  /** Takes out of {@code users} those whose entries are in use. */
  private void checkTable(
      UnitDriver unit, Map<EntryPlace, MachineInterrupt> users, List<Violation> found) {
    unit.interruptTable()
        .ifPresent(
            table -> {
              for (int index : table.inUse()) {
                MachineInterrupt user = users.remove(new EntryPlace(unit.index(), index));
                if (user == null) {
                  found.add(
                      violation(
                          "entry 0x%x of iommu %d is in use for no interrupt"
                              .formatted(index, unit.index())));
                } else {
                  checkEntry(unit, table, index, user, found);
                }
              }
            });
  }

  private void checkEntry(
      UnitDriver unit,
      InterruptTable table,
      int index,
      MachineInterrupt user,
      List<Violation> found) {
    InterruptEntry entry = table.entry(index);
    InterruptEntry expected = interrupts.expectedEntry(user).orElseThrow();
    boolean bound = entry.isPosted() ? !user.guests().isEmpty() : entry.lo() == expected.lo();
    if (!entry.acceptsSameAs(expected)) {
      found.add(
          violation(
              "entry 0x%x of iommu %d takes interrupt %d from 0x%04x, which asks as 0x%04x"
                  .formatted(
                      index, unit.index(), user.number(), entry.sourceId(), expected.sourceId())));
    } else if (!bound) {
      found.add(
          violation(
              "entry 0x%x of iommu %d does not take interrupt %d to vector 0x%x of processor %d"
                  .formatted(
                      index,
                      unit.index(),
                      user.number(),
                      user.at().vector(),
                      user.at().processor())));
    }
  }

  private static Violation violation(String detail) {
    return new Violation("I7", detail);
  }
}
