package io.hypercalld.api.resource;

import io.hypercalld.api.resource.ExplainRoutes.StepView;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.Explanation;
import io.hypercalld.iommu.virtual.GuestJudgement;
import io.hypercalld.iommu.vtd.FaultReason;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a domain's own unit makes of a physical device's request, beside what the machine's unit
 * does: the other stage of a shadow. Immutable.
 *
 * @param guestBdf as which the domain knows the device
 * @param reason of the fault that the domain's unit would record
 * @param gpa where the domain's tables send it
 * @param maddr where the P2M has that
 * @param agrees whether the machine's unit does the same
 * @param oracle what the guest has not said, where they do not agree for that
 * @param steps the domain's tables by guest-physical addresses, then the P2M by machine addresses
 * @param wouldPassIf what would have to be different, where the domain is what blocks it
 */
record GuestTablesView(
    int domid,
    Sbdf guestBdf,
    String verdict,
    Optional<String> reason,
    Optional<String> name,
    Optional<Word> gpa,
    Optional<Word> maddr,
    boolean agrees,
    Optional<String> oracle,
    List<StepView> steps,
    Optional<String> wouldPassIf) {
  static GuestTablesView of(GuestJudgement judged, Explanation machine) {
    Explanation walk = judged.walk();
    Optional<Word> maddr = judged.maddr();
    Optional<Word> reached =
        machine.passes() ? Optional.of(new Word(machine.maddr())) : Optional.empty();
    return new GuestTablesView(
        judged.guest().id().value(),
        judged.seenAs(),
        walk.verdict(),
        walk.reason().map(UnitListings::number),
        walk.reason().map(FaultReason::text),
        judged.gpa(),
        maddr,
        maddr.equals(reached),
        maddr.equals(reached) ? Optional.empty() : judged.unsaid(),
        steps(judged).toList(),
        reached.isPresent() ? Optional.empty() : Optional.of(condition(judged)));
  }

  /** The domain's tables, then the P2M. */
  static Stream<StepView> steps(GuestJudgement judged) {
    return Stream.concat(judged.walk().steps().stream().map(ExplainRoutes::view), p2m(judged));
  }

  private static Stream<StepView> p2m(GuestJudgement judged) {
    return frame(judged).stream()
        .flatMap(gfn -> judged.guest().p2m().explain(gfn).stream())
        .map(AccessRoutes::view);
  }

  private static Optional<Gfn> frame(GuestJudgement judged) {
    return judged.gpa().map(gpa -> new Gfn(gpa.value() >>> PageSize.SHIFT_4K));
  }

  /** What would let a request pass that the machine's unit blocks. */
  private static String condition(GuestJudgement judged) {
    Domain guest = judged.guest();
    if (frame(judged).isEmpty()) {
      return "in %s's own tables %s, and it had its change invalidated"
          .formatted(guest.id(), judged.walk().wouldPassIf().orElse("it were mapped"));
    }
    Gfn gfn = frame(judged).get();
    return judged.unsaid().isPresent()
        ? "%s had its change invalidated".formatted(guest.id())
        : "%s of %s were memory that devices may use so: it is %s"
            .formatted(gfn, guest.id(), guest.p2m().lookup(gfn).type());
  }
}
