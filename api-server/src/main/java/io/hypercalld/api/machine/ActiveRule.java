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

  /** Nanoseconds by which answers are late; taken by whoever is told. */
  private long late;

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

  /** Delays what it strikes now; answers by how many nanoseconds for the machine. */
  long delay() {
    FaultDelay delay = rule.effect().delay().orElse(null);
    long nanos = delay == null ? 0 : delay.draw(chance);
    boolean forTheMachine = delay == null || delay.clock() == FaultDelay.Clock.VIRTUAL;
    late += forTheMachine ? 0 : nanos;
    return forTheMachine ? nanos : 0;
  }

  /** Nanoseconds by which the answer is to be later, asked once. */
  long takeLateness() {
    long taken = late;
    late = 0;
    return taken;
  }

  /** Whether it has struck since the last time that it was asked. */
  boolean hasNews() {
    boolean news = hits() > told;
    told = hits();
    return news;
  }

  /**
   * What a malfunction has done is in the units, a shortage in what is short, and a lost event is
   * nothing of the machine's.
   */
  @Override
  public void digest(StateDigest digest) {
    digest.put(id).put(rule.toString());
    boolean isShortage = rule.isOfMemory() || does(FaultEffect.DOMAIN_IDS_EXHAUSTED);
    if (!isShortage && !does(FaultEffect.EVENT_DROP)) {
      digest.put(seen).put(malfunction.isPresent() ? 0 : hits).put(chance);
    }
  }
}
