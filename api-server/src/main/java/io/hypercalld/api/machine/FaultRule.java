package io.hypercalld.api.machine;

import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.hypercall.OrElse;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.Malfunction;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Something to go wrong, and when. Immutable.
 *
 * @param id names the rule; the next number where it is left out
 */
public record FaultRule(
    Optional<String> id, @OrElse("{}") Match match, @OrElse("{}") When when, Effect effect) {
  /**
   * What it is about; what is left out may be anything.
   *
   * @param iommu the unit of invalidation commands and of domain-ids
   * @param command kind of invalidation command
   * @param sbdf the requester whose entry a command is about; of hypercalls the device, whose
   *     address may end with {@code *}
   * @param call the hypercall, as {@code domctl.assign_device}, or its beginning and {@code *}
   * @param domid the domain that a hypercall is about, or whose request is answered
   * @param event the type of an event, or its beginning and {@code *}
   */
  public record Match(
      Optional<Integer> iommu,
      Optional<Malfunction.Command> command,
      Optional<String> sbdf,
      Optional<String> call,
      Optional<DomainId> domid,
      Optional<String> event) {
    /** Anything. */
    public static final Match ANYTHING =
        new Match(
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty());

    /** Invalidation commands. */
    public static Match commands(
        Optional<Integer> iommu, Optional<Malfunction.Command> command, Optional<Sbdf> requester) {
      return new Match(
          iommu,
          command,
          requester.map(Sbdf::toString),
          Optional.empty(),
          Optional.empty(),
          Optional.empty());
    }

    public Match {
      sbdf = sbdf.map(Match::canonical);
    }

    private static String canonical(String text) {
      try {
        return text.endsWith("*") ? text : Sbdf.parse(text).toString();
      } catch (IllegalArgumentException e) {
        throw InvalidBody.at("/match/sbdf", "not a PCI function such as 0000:03:00.0");
      }
    }

    boolean isOfNothing() {
      return equals(ANYTHING);
    }

    /** Whether text, which may be absent, agrees with a pattern, which may be absent. */
    static boolean agrees(Optional<String> pattern, Optional<String> text) {
      return pattern
          .map(
              wanted ->
                  wanted.endsWith("*")
                      ? text.orElse("").startsWith(wanted.substring(0, wanted.length() - 1))
                      : text.filter(wanted::equals).isPresent())
          .orElse(true);
    }
  }

  /**
   * The moment.
   *
   * @param skip what matches and passes before it begins; of frames and domain-ids those that are
   *     still given out
   * @param times how often it strikes: once for units and for ever for others where it is left out
   * @param probability of striking what matches and is not skipped, from 0 to 1
   * @param seed of that chance and of delays; the same rule does the same every time
   */
  public record When(
      @OrElse("0") long skip,
      Optional<Long> times,
      Optional<Double> probability,
      @OrElse("0") long seed) {
    /** At once. */
    public static When times(long times) {
      return new When(0, Optional.of(times), Optional.empty(), 0);
    }
  }

  /**
   * What happens: a type or an errno, with a delay before it; or a delay alone.
   *
   * @param errno what the hypercall is refused with; where the rule matches nothing in particular
   *     ENOMEM, and then no frame is free any more
   * @param gfn the guest frame whose entry {@code corrupt-pte} is about
   * @param mask the bits that it turns over; left out, the highest reserved bit of an address
   */
  public record Effect(
      Optional<FaultEffect> type,
      Optional<String> errno,
      Optional<FaultDelay> delay,
      Optional<Gfn> gfn,
      Optional<Word> mask) {
    /** The number that {@code errno} names. */
    Optional<Errno> refusal() {
      return errno.flatMap(
          name -> Stream.of(Errno.values()).filter(each -> each.name().equals(name)).findFirst());
    }

    /** Of a type that takes nothing else. */
    public static Effect of(FaultEffect type) {
      return new Effect(
          Optional.of(type),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty());
    }
  }

  /**
   * Checks that the rule means something.
   *
   * @throws InvalidBody where it does not
   */
  public FaultRule {
    if (effect.type.isPresent() == effect.errno.isPresent()
        && (effect.delay.isEmpty() || effect.type.isPresent())) {
      throw InvalidBody.at("/effect", "an effect has a type, an errno or a delay");
    }
    if (effect.errno.isPresent() && effect.refusal().isEmpty()) {
      throw InvalidBody.at("/effect/errno", "there is no errno %s", effect.errno.get());
    }
    boolean ofCalls = isOfCalls(match, effect);
    requireSense(match, effect, ofCalls);
    if (isOfMemory(match, effect) && when.times.isPresent()) {
      throw InvalidBody.at(
          "/when", "memory runs out for everybody, until the rule is removed: only skip applies");
    }
    if (effect.errno.isPresent() && !ofCalls && !isOfMemory(match, effect)) {
      throw InvalidBody.at("/match/call", "of nothing in particular only memory runs out");
    }
    if (when.probability.filter(chance -> !(chance >= 0 && chance <= 1)).isPresent()) {
      throw InvalidBody.at("/when/probability", "a probability is from 0 to 1");
    }
    boolean ofUnits = effect.type.flatMap(FaultEffect::ofUnit).isPresent();
    if (ofUnits && when.probability.isPresent()) {
      throw InvalidBody.at("/when/probability", "a unit's malfunction is no matter of chance");
    }
    if (ofUnits && match.sbdf.filter(text -> text.endsWith("*")).isPresent()) {
      throw InvalidBody.at("/match/sbdf", "a command is about one requester");
    }
    if (!ofCalls && (effect.delay.isPresent() || effect.gfn.isPresent())) {
      throw InvalidBody.at("/effect", "only hypercalls are delayed, or followed by a corruption");
    }
    boolean corrupts = effect.type.filter(FaultEffect.CORRUPT_PTE::equals).isPresent();
    if (corrupts && (match.domid.isEmpty() || effect.gfn.isEmpty())) {
      throw InvalidBody.at("/effect/gfn", "match.domid and effect.gfn say which entry it is");
    }
  }

  /** Refuses what a rule of its kind would not look at. */
  private static void requireSense(Match match, Effect effect, boolean ofCalls) {
    boolean ofUnits = effect.type.flatMap(FaultEffect::ofUnit).isPresent();
    boolean ofEvents = effect.type.filter(FaultEffect.EVENT_DROP::equals).isPresent();
    boolean ofReplies = effect.type.filter(FaultEffect.IOREQ_NO_REPLY::equals).isPresent();
    require(ofUnits || match.command.isEmpty(), "command");
    require(ofEvents || match.event.isEmpty(), "event");
    require(ofCalls || match.call.isEmpty(), "call");
    require(ofCalls || ofReplies || match.domid.isEmpty(), "domid");
    require(!(ofEvents || ofReplies) || (match.iommu.isEmpty() && match.sbdf.isEmpty()), "sbdf");
  }

  private static void require(boolean sensible, String member) {
    if (!sensible) {
      throw InvalidBody.at("/match/" + member, "such an effect does not depend on it");
    }
  }

  private static boolean isOfMemory(Match match, Effect effect) {
    return effect.refusal().filter(Errno.ENOMEM::equals).isPresent() && match.isOfNothing();
  }

  private static boolean isOfCalls(Match match, Effect effect) {
    return effect.type.map(FaultEffect::isOfCalls).orElse(!match.isOfNothing())
        || (effect.type.isEmpty() && effect.errno.isEmpty());
  }

  /** Whether no frame is to be free any more. */
  boolean isOfMemory() {
    return isOfMemory(match, effect);
  }

  /** Whether it strikes hypercalls. */
  boolean isOfCalls() {
    return isOfCalls(match, effect);
  }

  /** What it does, in a word. */
  String effectName() {
    return effect.type.map(FaultEffect::toString).or(effect::errno).orElse("delay");
  }
}
