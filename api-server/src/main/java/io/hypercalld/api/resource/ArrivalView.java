package io.hypercalld.api.resource;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.iommu.interrupt.GuestArrival;
import io.hypercalld.iommu.interrupt.Processors;
import io.hypercalld.iommu.interrupt.VirtualProcessor;
import io.hypercalld.iommu.interrupt.VirtualProcessors;
import io.hypercalld.iommu.unit.InterruptOutcome;
import io.hypercalld.iommu.vtd.FaultReason;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What became of an interrupt. Immutable.
 *
 * @param domain that it reached; empty where it ended in the hypervisor, or nowhere
 * @param vcpu that took it, the first of several
 * @param vector in the domain; on the processor where no domain was reached
 * @param index of the remapping entry
 * @param processor that took it; empty where it was blocked, or posted without notification
 * @param reached everyone that it reached
 * @param why it was not sent at all
 */
record ArrivalView(
    Outcome outcome,
    Optional<Integer> domain,
    Optional<Integer> vcpu,
    Optional<Integer> vector,
    Optional<FaultView> fault,
    Optional<Integer> index,
    Optional<Integer> processor,
    Optional<Word> descriptor,
    List<Reached> reached,
    Optional<String> why) {
  /** Where it ended. */
  enum Outcome {
    DELIVERED,
    BLOCKED,
    POSTED
  }

  /** The fault that blocked it. */
  record FaultView(String reason, String name, int iommu, boolean recorded) {}

  /** A domain that it reached, and there a vCPU; or a wire where {@code vector} is empty. */
  record Reached(int domain, List<Integer> vcpus, Optional<Integer> vector) {
    static Reached of(GuestArrival arrival) {
      return new Reached(arrival.domain().value(), arrival.vcpus(), boxed(arrival.vector()));
    }
  }

  /**
   * What became of an interrupt that its source may not have sent.
   *
   * @param why it did not
   */
  static ArrivalView ofAttempt(
      Machine machine,
      Processors.Observed<Optional<InterruptOutcome>> observed,
      int iommu,
      String why) {
    return observed
        .result()
        .map(outcome -> new Processors.Observed<>(outcome, observed.arrivals()))
        .map(sent -> of(machine, sent, iommu))
        .orElseGet(() -> notSent(why));
  }

  static ArrivalView notSent(String why) {
    return new ArrivalView(
        Outcome.BLOCKED,
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        List.of(),
        Optional.of(why));
  }

  static ArrivalView of(
      Machine machine, Processors.Observed<InterruptOutcome> observed, int iommu) {
    return switch (observed.result()) {
      case InterruptOutcome.Blocked blocked -> blocked(blocked, iommu);
      case InterruptOutcome.Posted posted -> posted(machine, posted, observed);
      case InterruptOutcome.Delivered delivered -> delivered(delivered, observed);
    };
  }

  private static ArrivalView blocked(InterruptOutcome.Blocked blocked, int iommu) {
    FaultReason reason = blocked.reason();
    return new ArrivalView(
        Outcome.BLOCKED,
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.of(
            new FaultView(UnitListings.number(reason), reason.text(), iommu, blocked.recorded())),
        Optional.of(blocked.index()),
        Optional.empty(),
        Optional.empty(),
        List.of(),
        Optional.empty());
  }

  private static ArrivalView delivered(
      InterruptOutcome.Delivered delivered, Processors.Observed<?> observed) {
    List<Reached> reached = reached(observed);
    Optional<Reached> first = reached.stream().findFirst();
    return new ArrivalView(
        Outcome.DELIVERED,
        first.map(Reached::domain),
        first.flatMap(one -> one.vcpus().stream().findFirst()),
        first.isPresent()
            ? first.flatMap(Reached::vector)
            : Optional.of(delivered.message().vector()),
        Optional.empty(),
        boxed(delivered.index()),
        processor(observed),
        Optional.empty(),
        reached,
        Optional.empty());
  }

  private static ArrivalView posted(
      Machine machine, InterruptOutcome.Posted posted, Processors.Observed<?> observed) {
    Optional<Reached> owner = ownerOf(machine, posted);
    return new ArrivalView(
        Outcome.POSTED,
        owner.map(Reached::domain),
        owner.flatMap(one -> one.vcpus().stream().findFirst()),
        Optional.of(posted.vector()),
        Optional.empty(),
        Optional.of(posted.index()),
        processor(observed),
        Optional.of(new Word(posted.descriptor())),
        reached(observed),
        Optional.empty());
  }

  /** Whose descriptor it is. */
  private static Optional<Reached> ownerOf(Machine machine, InterruptOutcome.Posted posted) {
    for (Domain domain : machine.hypervisor().domains().all()) {
      Optional<VirtualProcessors> vcpus = domain.findFacet(VirtualProcessors.class);
      for (int vcpu = 0; vcpus.isPresent() && vcpu < domain.run().vcpus(); vcpu++) {
        VirtualProcessor place = vcpus.get().place(vcpu);
        if (place.descriptor().isPresent()
            && place.descriptor().getAsLong() == posted.descriptor()) {
          return Optional.of(
              new Reached(domain.id().value(), List.of(vcpu), Optional.of(posted.vector())));
        }
      }
    }
    return Optional.empty();
  }

  private static List<Reached> reached(Processors.Observed<?> observed) {
    return observed.arrivals().stream()
        .flatMap(arrival -> arrival.guests().stream())
        .map(Reached::of)
        .toList();
  }

  private static Optional<Integer> processor(Processors.Observed<?> observed) {
    return observed.arrivals().stream().map(arrival -> arrival.at().processor()).findFirst();
  }

  private static Optional<Integer> boxed(OptionalInt number) {
    return number.isPresent() ? Optional.of(number.getAsInt()) : Optional.empty();
  }
}
