package io.hypercalld.iommu.reach;

import io.hypercalld.core.domain.ApicIds;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.interrupt.DomainInterrupts;
import io.hypercalld.core.interrupt.LocalApic;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * For every kind of interrupt source and every vCPU of a domain whether the one reaches the other
 * alone. Immutable.
 *
 * @param mode of the local APICs for which it holds
 * @param vcpus of the domain
 */
public record Reachability(LocalApic.Mode mode, int vcpus, List<Row> rows) {
  public Reachability {
    rows = List.copyOf(rows);
  }

  /**
   * A kind of source with one of its formats.
   *
   * @param missing why the domain has nothing of the kind; empty where it has
   * @param unreachable vCPUs that it does not reach, and what stops it; empty where it is missing
   */
  public record Row(
      SourceKind kind,
      AimFormat format,
      Optional<String> missing,
      SortedMap<Integer, String> unreachable) {
    /** Whether an interrupt of the kind can be sent to a vCPU. */
    public boolean reaches(int vcpu) {
      return missing.isEmpty() && !unreachable.containsKey(vcpu);
    }

    private String obstacle(int vcpu) {
      return "%s, %s: %s"
          .formatted(kind, format, missing.orElseGet(() -> unreachable.getOrDefault(vcpu, "")));
    }
  }

  /**
   * The map of an HVM or PVH domain, as if its local APICs were in a mode.
   *
   * @param mode x2APIC, or xAPIC but for those whose ids do not fit it
   */
  public static Reachability of(Domain domain, LocalApic.Mode mode) {
    DomainInterrupts interrupts = domain.facet(DomainInterrupts.class);
    Recipients recipients =
        new Recipients(interrupts.apics().afterPowerOn(mode == LocalApic.Mode.X2APIC));
    ApicIds ids = domain.settings().interrupts().apicIds();
    int vcpus = interrupts.apics().size();
    return new Reachability(
        mode,
        vcpus,
        new Aims(domain).in(mode).stream().map(aim -> row(aim, recipients, ids, vcpus)).toList());
  }

  private static Row row(Aim aim, Recipients recipients, ApicIds ids, int vcpus) {
    SortedMap<Integer, String> unreachable = new TreeMap<>();
    for (int vcpu = 0; aim.missing().isEmpty() && vcpu < vcpus; vcpu++) {
      int target = vcpu;
      recipients
          .obstacle(aim.at().apply(ids.of(vcpu)), vcpu)
          .ifPresent(
              why -> unreachable.put(target, "APIC id 0x%x %s".formatted(ids.of(target), why)));
    }
    return new Row(aim.kind(), aim.format(), aim.missing(), unreachable);
  }

  /** Whether a kind of source reaches a vCPU by any of its formats. */
  public boolean reaches(SourceKind kind, int vcpu) {
    for (Row row : rows) {
      if (row.kind == kind && row.reaches(vcpu)) {
        return true;
      }
    }
    return false;
  }

  /** Whether the domain has anything of a kind. */
  private boolean has(SourceKind kind) {
    return rows.stream().anyMatch(row -> row.kind == kind && row.missing.isEmpty());
  }

  /** vCPUs that some kind of source of the domain's cannot reach, and what stops each format. */
  public SortedMap<Integer, List<String>> unreachable() {
    SortedMap<Integer, List<String>> obstacles = new TreeMap<>();
    for (SourceKind kind : SourceKind.values()) {
      int end = has(kind) ? vcpus : 0;
      for (int vcpu = 0; vcpu < end; vcpu++) {
        if (!reaches(kind, vcpu)) {
          obstacles.computeIfAbsent(vcpu, _ -> new ArrayList<>()).addAll(obstacles(kind, vcpu));
        }
      }
    }
    return obstacles;
  }

  /** What stops each format of a kind of source on its way to a vCPU. */
  List<String> obstacles(SourceKind kind, int vcpu) {
    return rows.stream().filter(row -> row.kind == kind).map(row -> row.obstacle(vcpu)).toList();
  }
}
