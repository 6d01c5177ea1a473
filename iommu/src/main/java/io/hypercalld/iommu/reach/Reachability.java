package io.hypercalld.iommu.reach;

import io.hypercalld.core.domain.ApicIds;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.interrupt.DomainInterrupts;
import io.hypercalld.core.interrupt.Interrupt;
import io.hypercalld.core.interrupt.LocalApic;
import io.hypercalld.core.interrupt.LocalApics;
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
    LocalApics apics =
        domain.facet(DomainInterrupts.class).apics().afterPowerOn(mode == LocalApic.Mode.X2APIC);
    ApicIds ids = domain.settings().interrupts().apicIds();
    List<Row> rows = new Aims(domain).in(mode).stream().map(aim -> row(aim, apics, ids)).toList();
    return new Reachability(mode, apics.size(), rows);
  }

  private static Row row(Aim aim, LocalApics apics, ApicIds ids) {
    SortedMap<Integer, String> unreachable = new TreeMap<>();
    for (int vcpu = 0; aim.missing().isEmpty() && vcpu < apics.size(); vcpu++) {
      int target = vcpu;
      obstacle(aim, apics, vcpu, ids.of(vcpu)).ifPresent(why -> unreachable.put(target, why));
    }
    return new Row(aim.kind(), aim.format(), aim.missing(), unreachable);
  }

  /** What keeps an interrupt from reaching a vCPU alone. */
  private static Optional<String> obstacle(Aim aim, LocalApics apics, int vcpu, int apicId) {
    Optional<Interrupt> sent = aim.at().apply(apicId);
    if (sent.isEmpty()) {
      return Optional.of("nothing is sent");
    }
    if (apics.isOnlyFor(sent.get(), vcpu)) {
      return Optional.empty();
    }
    List<Integer> reached = apics.destinations(sent.get());
    String whose =
        switch (reached.size()) {
          case 0 -> "nobody";
          case 1 -> "vCPU " + reached.getFirst();
          default -> reached.size() + " vCPUs";
        };
    return Optional.of(
        "APIC id 0x%x arrives as 0x%x, which is %s"
            .formatted(apicId, sent.get().destination(), whose));
  }

  /** Whether a kind of source reaches a vCPU by any of its formats. */
  public boolean reaches(SourceKind kind, int vcpu) {
    return rows.stream().anyMatch(row -> row.kind == kind && row.reaches(vcpu));
  }

  /** Whether the domain has anything of a kind. */
  private boolean has(SourceKind kind) {
    return rows.stream().anyMatch(row -> row.kind == kind && row.missing.isEmpty());
  }

  /** vCPUs that some kind of source of the domain's cannot reach, and what stops each format. */
  public SortedMap<Integer, List<String>> unreachable() {
    SortedMap<Integer, List<String>> obstacles = new TreeMap<>();
    for (SourceKind kind : SourceKind.values()) {
      for (int vcpu = 0; has(kind) && vcpu < vcpus; vcpu++) {
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
