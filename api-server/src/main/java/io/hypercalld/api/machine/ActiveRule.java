package io.hypercalld.api.machine;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.iommu.unit.Malfunction;
import java.util.Optional;

/** A rule in force, and how often it has struck. Confined to the machine thread. */
final class ActiveRule implements Digestible {
  private final String id;
  private final FaultRule rule;
  private final Optional<Malfunction> malfunction;
  private final Chance chance;
  private long seen;
  private long hits;
  private long told;

  /**
   * @param malfunction how units realise it; empty where it is nothing of theirs
   */
  ActiveRule(String id, FaultRule rule, Optional<Malfunction> malfunction) {
    this.id = id;
    this.rule = rule;
    this.malfunction = malfunction;
    this.chance = new Chance(rule.when().seed());
  }

  String id() {
    return id;
  }

  FaultRule rule() {
    return rule;
  }

  Optional<Malfunction> malfunction() {
    return malfunction;
  }

  boolean does(FaultEffect effect) {
    return rule.effect().type().filter(effect::equals).isPresent();
  }

  /** How often it has struck. */
  long hits() {
    return malfunction.map(Malfunction::hits).orElse(hits);
  }

  /** Whether it strikes what matches now, which counts. */
  boolean strikes() {
    seen++;
    FaultRule.When when = rule.when();
    boolean struck =
        seen > when.skip()
            && hits < when.times().orElse(Long.MAX_VALUE)
            && when.probability().map(likely -> chance.next() < likely).orElse(true);
    hits += struck ? 1 : 0;
    return struck;
  }

  /** It has struck, as somebody else has found out. */
  void struck() {
    hits++;
  }

  /** Nanoseconds by which it delays what it strikes now. */
  long delay() {
    return rule.effect().delay().map(delay -> delay.draw(chance)).orElse(0L);
  }

  /** Whether it has struck since the last time that it was asked. */
  boolean hasNews() {
    boolean news = hits() > told;
    told = hits();
    return news;
  }

  /** What a malfunction has done is in the units; a lost event is nothing of the machine's. */
  @Override
  public void digest(StateDigest digest) {
    digest.put(id).put(rule.toString());
    if (!does(FaultEffect.EVENT_DROP)) {
      digest.put(seen).put(malfunction.isPresent() ? 0 : hits).put(chance);
    }
  }
}
