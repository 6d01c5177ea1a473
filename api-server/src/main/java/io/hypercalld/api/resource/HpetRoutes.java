package io.hypercalld.api.resource;

import io.hypercalld.api.machine.DirectTimer;
import io.hypercalld.api.machine.ExpireTimer;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.bits.Word;
import io.hypercalld.iommu.interrupt.HpetSource;
import io.hypercalld.iommu.interrupt.HpetTimer;
import io.hypercalld.iommu.interrupt.HpetTimers;
import io.hypercalld.iommu.interrupt.MachineInterrupt;
import io.hypercalld.iommu.pci.SourceId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** The timers of the chipset that send messages. Immutable. */
final class HpetRoutes {
  private static final String COMPARATOR = "/_sim/hpets/{hpet}/comparators/{comparator}";

  private HpetRoutes() {}

  /** Whom a comparator is to interrupt; nobody where left out. */
  record Direction(Optional<Integer> processor) {}

  /** A comparator that the hypervisor has set up. */
  record TimerView(
      int hpet,
      int comparator,
      int iommu,
      SourceId requester,
      int irq,
      Word address,
      Word data,
      Optional<Integer> index,
      int processor,
      int vector) {
    static TimerView of(MachineInterrupt interrupt, HpetTimer timer) {
      return new TimerView(
          timer.hpet().id(),
          timer.comparator(),
          timer.hpet().iommu(),
          timer.hpet().requester(),
          interrupt.number(),
          new Word(timer.message().address()),
          new Word(Integer.toUnsignedLong(timer.message().data())),
          timer.index().isPresent() ? Optional.of(timer.index().getAsInt()) : Optional.empty(),
          interrupt.at().processor(),
          interrupt.at().vector());
    }
  }

  /** An HPET in a unit's scope. */
  record HpetView(int hpet, int iommu, SourceId requester, List<TimerView> timers) {}

  static List<Route> routes() {
    return List.of(
        Route.get("/v1/hpets", "The HPETs that firmware names, and their timers in use")
            .answering(Page.ofItems(HpetView.class))
            .on(request -> HpetRoutes::all),
        Route.of(Method.PUT, COMPARATOR, "Has a comparator interrupt a processor, or nobody")
            .reading(Direction.class)
            .answering(Page.ofItems(HpetView.class))
            .on(HpetRoutes::direct)
            .guardedBy(_ -> HpetRoutes::all),
        Route.of(Method.POST, COMPARATOR, "Has a comparator expire")
            .answering(ArrivalView.class)
            .on(HpetRoutes::expire));
  }

  private static Reply all(Machine machine) {
    return Reply.ok(
        Page.whole(
            machine.interrupts().timers().hpets().stream()
                .<Object>map(hpet -> view(machine, hpet))
                .toList()));
  }

  private static HpetView view(Machine machine, HpetSource hpet) {
    List<TimerView> timers = new ArrayList<>();
    for (MachineInterrupt interrupt : machine.interrupts().machine().all()) {
      if (interrupt.source().orElse(null) instanceof HpetTimer timer && timer.hpet().equals(hpet)) {
        timers.add(TimerView.of(interrupt, timer));
      }
    }
    return new HpetView(hpet.id(), hpet.iommu(), hpet.requester(), timers);
  }

  private static HpetTimers.Comparator comparator(Request request) {
    return new HpetTimers.Comparator(
        (int) Names.number(request, "hpet"), (int) Names.number(request, "comparator"));
  }

  private static Function<Machine, Reply> direct(Request request) {
    HpetTimers.Comparator comparator = comparator(request);
    Direction wanted = request.read(Direction.class);
    return machine -> {
      machine.execute(new DirectTimer(comparator, wanted.processor));
      return all(machine);
    };
  }

  private static Function<Machine, Reply> expire(Request request) {
    HpetTimers.Comparator comparator = comparator(request);
    return machine -> {
      var observed = machine.execute(new ExpireTimer(comparator));
      int iommu = iommuOf(machine, comparator);
      return Reply.ok(
          ArrivalView.ofAttempt(machine, observed, iommu, "the comparator is not set up"));
    };
  }

  private static int iommuOf(Machine machine, HpetTimers.Comparator comparator) {
    return machine.interrupts().timers().hpets().stream()
        .filter(hpet -> hpet.id() == comparator.hpet())
        .mapToInt(HpetSource::iommu)
        .findFirst()
        .orElse(-1);
  }
}
