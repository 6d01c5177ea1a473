package io.hypercalld.api.machine;

import io.hypercalld.api.hypercall.Operation;
import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.notice.NoticeKind;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.Malfunction;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/** What goes wrong in a machine on purpose. Confined to the machine thread. */
public final class FaultRules implements Digestible {
  private final Machine machine;
  private final Map<String, ActiveRule> active = new LinkedHashMap<>();
  private long next = 1;

  FaultRules(Machine machine) {
    this.machine = machine;
  }

  /**
   * A rule as it stands.
   *
   * @param hits how often it has struck
   */
  public record Standing(
      String id, FaultRule.Match match, FaultRule.When when, FaultRule.Effect effect, long hits) {}

  /**
   * A rule that has struck, and what it does.
   *
   * @param lateNanos by which the answer is to be later
   */
  public record Strike(String rule, Optional<FaultEffect> effect, long lateNanos) {}

  /** The rules in the order in which they are asked: of those that match the first strikes. */
  public List<Standing> all() {
    return active.values().stream().map(FaultRules::standing).toList();
  }

  private static Standing standing(ActiveRule one) {
    FaultRule rule = one.rule();
    return new Standing(one.id(), rule.match(), rule.when(), rule.effect(), one.hits());
  }

  Standing add(FaultRule rule) {
    String id = rule.id().orElseGet(() -> Long.toString(next));
    if (active.containsKey(id)) {
      throw Refusal.of(Errno.EEXIST, "there is a rule %s already", id);
    }
    List<Integer> units = units(rule.match());
    Optional<Malfunction> malfunction =
        rule.effect().type().flatMap(FaultEffect::ofUnit).map(type -> malfunction(rule, type));
    ActiveRule added = new ActiveRule(id, rule, malfunction);
    malfunction.ifPresent(
        wrong -> units.forEach(unit -> machine.unit(unit).malfunctions().add(wrong)));
    if (rule.isOfMemory()) {
      machine.hypervisor().allocator().runOutAfter(rule.when().skip());
    }
    if (added.does(FaultEffect.DOMAIN_IDS_EXHAUSTED)) {
      units.forEach(
          unit -> machine.driver().units().get(unit).domainIds().runOutAfter(rule.when().skip()));
    }
    active.put(id, added);
    next++;
    return standing(added);
  }

  private static Malfunction malfunction(FaultRule rule, Malfunction.Effect effect) {
    FaultRule.Match match = rule.match();
    Malfunction.Target target =
        new Malfunction.Target(match.command(), match.sbdf().map(Sbdf::parse).map(Sbdf::sourceId));
    return new Malfunction(target, rule.when().skip(), rule.when().times().orElse(1L), effect);
  }

  private List<Integer> units(FaultRule.Match match) {
    if (match.iommu().isPresent()) {
      return List.of(indexOf(match.iommu().get()));
    }
    return match
        .sbdf()
        .filter(sbdf -> !sbdf.endsWith("*"))
        .map(sbdf -> machine.scopes().unitOf(Sbdf.parse(sbdf)).stream())
        .orElseGet(() -> IntStream.range(0, machine.units().size()))
        .boxed()
        .toList();
  }

  private int indexOf(int iommu) {
    return machine.units().indexOf(machine.unit(iommu));
  }

  void remove(String id) {
    ActiveRule removed = active.remove(id);
    if (removed == null) {
      throw Refusal.of(Errno.ENOENT, "there is no rule %s", id);
    }
    removed
        .malfunction()
        .ifPresent(wrong -> machine.units().forEach(unit -> unit.malfunctions().remove(wrong)));
    if (removed.rule().isOfMemory()) {
      machine.hypervisor().allocator().runOutNever();
    }
    if (removed.does(FaultEffect.DOMAIN_IDS_EXHAUSTED)) {
      machine.driver().units().forEach(unit -> unit.domainIds().runOutNever());
    }
  }

  /** Makes a hypercall, unless a rule has something else happen; the first that strikes wins. */
  Outcome call(Operation<?> operation, Hypercall arguments, Supplier<Outcome> call) {
    if (active.isEmpty()) {
      return call.get();
    }
    Optional<ActiveRule> struck = strikeCall(operation.name(), arguments);
    return struck.isPresent() ? callStruck(struck.get(), call) : call.get();
  }

  private Optional<ActiveRule> strikeCall(String name, Hypercall arguments) {
    CallSubject subject = CallSubject.of(arguments);
    for (ActiveRule one : active.values()) {
      FaultRule.Match match = one.rule().match();
      if (one.rule().isOfCalls()
          && FaultRule.Match.agrees(match.call(), Optional.of(name))
          && (match.iommu().isEmpty() || match.iommu().equals(unitOf(subject)))
          && (match.domid().isEmpty() || match.domid().equals(subject.domain()))
          && FaultRule.Match.agrees(match.sbdf(), subject.device().map(Sbdf::toString))
          && one.strikes()) {
        return Optional.of(one);
      }
    }
    return Optional.empty();
  }

  private Optional<Integer> unitOf(CallSubject subject) {
    return subject
        .device()
        .flatMap(device -> machine.scopes().unitOf(device).stream().boxed().findFirst());
  }

  private Outcome callStruck(ActiveRule one, Supplier<Outcome> call) {
    machine.hypervisor().clock().advance(one.delay());
    FaultRule.Effect effect = one.rule().effect();
    if (effect.refusal().isPresent()) {
      return Outcome.Refused.of(
          Refusal.of(effect.refusal().get(), "fault rule %s has it refused", one.id()));
    }
    if (one.does(FaultEffect.HANG)) {
      return Outcome.Refused.of(Refusal.of(Errno.EINTR, "fault rule %s has it hang", one.id()));
    }
    Outcome outcome = call.get();
    if (one.does(FaultEffect.CORRUPT_PTE)) {
      Corruption.of(one.rule()).apply(machine);
    }
    return outcome;
  }

  /** Whether what a device model answers is to be lost. */
  boolean losesReply(DomainId domain) {
    return active.values().stream()
        .filter(one -> one.does(FaultEffect.IOREQ_NO_REPLY))
        .filter(one -> one.rule().match().domid().map(domain::equals).orElse(true))
        .anyMatch(ActiveRule::strikes);
  }

  /** Whether an event of a kind is to be lost. */
  public boolean dropsEvent(NoticeKind kind) {
    if (active.isEmpty() || kind == SimNotice.FAULT_INJECTED) {
      return false;
    }
    return active.values().stream()
        .filter(one -> one.does(FaultEffect.EVENT_DROP))
        .filter(one -> FaultRule.Match.agrees(one.rule().match().event(), Optional.of(kind.type())))
        .anyMatch(ActiveRule::strikes);
  }

  /**
   * Says which rules have struck since the last time.
   *
   * @param refused what a command was refused with since then
   */
  public List<Strike> tell(Optional<Errno> refused) {
    if (active.isEmpty()) {
      return List.of();
    }
    List<Strike> strikes = new ArrayList<>();
    for (ActiveRule one : active.values()) {
      if (refused.filter(errno -> isShortage(one, errno)).isPresent()) {
        one.struck();
      }
      if (one.hasNews()) {
        strikes.add(new Strike(one.id(), one.rule().effect().type(), one.takeLateness()));
        machine
            .hypervisor()
            .notices()
            .tell(
                SimNotice.FAULT_INJECTED,
                new SimNotice.Injected(one.id(), one.rule().effectName(), one.hits()));
      }
    }
    return strikes;
  }

  private boolean isShortage(ActiveRule one, Errno refused) {
    return switch (refused) {
      case ENOMEM -> one.rule().isOfMemory();
      case EBUSY, EFAULT -> one.does(FaultEffect.DOMAIN_IDS_EXHAUSTED) && areIdsOut();
      default -> false;
    };
  }

  private boolean areIdsOut() {
    return machine.driver().units().stream().anyMatch(unit -> unit.domainIds().isRunOut());
  }

  /** What the rules have done to the parts is in those parts. */
  @Override
  public void digest(StateDigest digest) {
    digest.section("fault-rules").put(next);
    active.values().forEach(digest::put);
  }
}
