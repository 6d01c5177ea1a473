package io.hypercalld.api.machine;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.notice.NoticeKind;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.Malfunction;
import io.hypercalld.iommu.unit.RemappingUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** What goes wrong in a machine on purpose. Confined to the machine thread. */
public final class FaultRules implements Digestible {
  private final Machine machine;
  private final Map<String, Active> active = new LinkedHashMap<>();
  private long next = 1;

  FaultRules(Machine machine) {
    this.machine = machine;
  }

  /**
   * A rule in force.
   *
   * @param malfunction how it is realised; empty where memory runs out
   */
  private record Active(FaultRule rule, Optional<Malfunction> malfunction) {}

  /**
   * A rule as it stands.
   *
   * @param hits commands that it has struck
   */
  public record Standing(
      String id, FaultRule.Match match, FaultRule.When when, FaultRule.Effect effect, long hits) {}

  /** The rules in the order in which they are asked. */
  public List<Standing> all() {
    return active.entrySet().stream().map(one -> standing(one.getKey(), one.getValue())).toList();
  }

  private static Standing standing(String id, Active active) {
    FaultRule rule = active.rule();
    return new Standing(
        id,
        rule.match(),
        rule.when(),
        rule.effect(),
        active.malfunction().map(Malfunction::hits).orElse(0L));
  }

  /** Whether an event of a kind is to be lost. */
  public boolean dropsEvent(NoticeKind kind) {
    return false;
  }

  Standing add(FaultRule rule) {
    String id = rule.id().orElseGet(() -> Long.toString(next));
    if (active.containsKey(id)) {
      throw Refusal.of(Errno.EEXIST, "there is a rule %s already", id);
    }
    List<RemappingUnit> units = units(rule.match());
    Active added = new Active(rule, rule.effect().type().map(type -> malfunction(rule, type)));
    added
        .malfunction()
        .ifPresentOrElse(
            malfunction -> units.forEach(unit -> unit.malfunctions().add(malfunction)),
            () -> machine.hypervisor().allocator().runOutAfter(rule.when().skip()));
    active.put(id, added);
    next++;
    return standing(id, added);
  }

  private static Malfunction malfunction(FaultRule rule, Malfunction.Effect effect) {
    FaultRule.Match match = rule.match();
    Malfunction.Target target =
        new Malfunction.Target(match.command(), match.sbdf().map(Sbdf::sourceId));
    return new Malfunction(target, rule.when().skip(), rule.when().times().orElse(1L), effect);
  }

  private List<RemappingUnit> units(FaultRule.Match match) {
    if (match.iommu().isPresent()) {
      return List.of(machine.unit(match.iommu().get()));
    }
    return match
        .sbdf()
        .map(sbdf -> machine.scopes().unitOf(sbdf).stream())
        .orElseGet(() -> IntStream.range(0, machine.units().size()))
        .mapToObj(machine::unit)
        .toList();
  }

  void remove(String id) {
    Active removed = active.remove(id);
    if (removed == null) {
      throw Refusal.of(Errno.ENOENT, "there is no rule %s", id);
    }
    removed
        .malfunction()
        .ifPresentOrElse(
            malfunction -> machine.units().forEach(unit -> unit.malfunctions().remove(malfunction)),
            machine.hypervisor().allocator()::runOutNever);
  }

  /** What the rules have done to the parts is in those parts. */
  @Override
  public void digest(StateDigest digest) {
    digest.section("fault-rules").put(next);
    active.forEach((id, one) -> digest.put(id).put(one.rule().toString()));
  }
}
