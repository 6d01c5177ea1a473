package io.hypercalld.api.resource;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.ResetUnitCounters;
import io.hypercalld.api.machine.UnitRegister;
import io.hypercalld.api.machine.WriteRegister;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.iommu.driver.UnitDriver;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;

/** {@code /v1/iommus}. Immutable. */
final class IommuRoutes {
  static final String ONE = "/v1/iommus/{n}";

  private IommuRoutes() {}

  /** An access to a unit's register window; a write where there is a value. */
  record RegisterAccess(Word offset, int size, Optional<Word> value) {}

  /** What a register held, or was given. */
  record RegisterValue(Word offset, int size, Word value) {}

  static List<Route> routes() {
    return List.of(
        Route.get("/v1/iommus", "The remapping units")
            .taking(Page.LIMIT, Page.CURSOR)
            .answering(Page.ofItems(UnitView.class))
            .on(IommuRoutes::list),
        Route.get(ONE, "One remapping unit").answering(UnitView.class).on(IommuRoutes::show),
        listing(
            "registers",
            "The register file, read as software would",
            UnitListings.RegisterView.class,
            UnitListings::registers),
        listing(
            "domain-ids",
            "Which domain-id stands for whom",
            UnitListings.DomainIdView.class,
            UnitListings::domainIds),
        listing(
            "context-entries",
            "The context entries in memory that are present",
            UnitListings.ContextView.class,
            UnitListings::contextEntries),
        listing(
            "iotlb",
            "The translations that the unit remembers",
            UnitListings.TranslationView.class,
            UnitListings::iotlb),
        listing(
            "context-cache",
            "The context entries that the unit remembers",
            UnitListings.CachedContextView.class,
            UnitListings::contextCache),
        listing(
            "faults",
            "The faults that the driver read out, and those that wait in the registers still",
            UnitListings.FaultRecordView.class,
            UnitListings::faults),
        listing(
            "interrupt-entries",
            "The entries of the interrupt-remapping table that are in use, and whose they are",
            UnitListings.InterruptEntryView.class,
            UnitListings::interruptEntries),
        Route.get(ONE + "/invalidation-queue", "The invalidation queue and what is in its ring")
            .answering(QueueView.class)
            .on(request -> ofUnit(request, QueueView::of)),
        Route.get(ONE + "/counters", "What the unit has done since the last reset")
            .answering(Object.class)
            .on(
                request ->
                    ofUnit(
                        request,
                        (machine, unit) -> CounterViews.of(machine.unit(unit.index()).counters()))),
        Route.of(Method.POST, ONE + "/counters/reset", "Sets a unit's counters to zero")
            .on(IommuRoutes::resetCounters),
        Route.of(Method.POST, ONE + "/mmio", "Reads a register, or writes it")
            .reading(RegisterAccess.class)
            .answering(RegisterValue.class)
            .on(IommuRoutes::access)
            .guardedBy(IommuRoutes::show));
  }

  private static Route listing(
      String name,
      String summary,
      Class<?> item,
      BiFunction<Machine, UnitDriver, List<?>> content) {
    return Route.get(ONE + "/" + name, summary)
        .taking(Page.LIMIT, Page.CURSOR)
        .answering(Page.ofItems(item))
        .on(request -> page(request, content));
  }

  private static Function<Machine, Reply> page(
      Request request, BiFunction<Machine, UnitDriver, List<?>> content) {
    int index = index(request);
    return machine -> {
      UnitDriver unit = unit(machine, index);
      return Reply.ok(Page.of(request, machine, () -> content.apply(machine, unit)));
    };
  }

  private static Function<Machine, Reply> ofUnit(
      Request request, BiFunction<Machine, UnitDriver, ?> view) {
    int index = index(request);
    return machine -> Reply.ok(view.apply(machine, unit(machine, index)));
  }

  /** The number of the unit in the path; -1 for what is no such number. */
  static int index(Request request) {
    String text = request.place("n");
    return text.matches("[0-9]{1,6}") ? Integer.parseInt(text) : -1;
  }

  private static UnitDriver unit(Machine machine, int index) {
    List<UnitDriver> units = machine.driver().units();
    if (index < 0 || index >= units.size()) {
      throw Refusal.of(Errno.ENODEV, "there are the iommus 0 to %d", units.size() - 1);
    }
    return units.get(index);
  }

  private static Function<Machine, Reply> list(Request request) {
    return machine ->
        Reply.ok(
            Page.of(
                request,
                machine,
                () ->
                    machine.driver().units().stream()
                        .map(unit -> UnitView.of(machine, unit))
                        .toList()));
  }

  private static Function<Machine, Reply> show(Request request) {
    return ofUnit(request, UnitView::of);
  }

  private static Function<Machine, Reply> resetCounters(Request request) {
    int index = index(request);
    return machine -> {
      machine.execute(new ResetUnitCounters(index));
      return Reply.done();
    };
  }

  private static Function<Machine, Reply> access(Request request) {
    int index = index(request);
    RegisterAccess access = request.read(RegisterAccess.class);
    return machine -> {
      int iommu = unit(machine, index).index();
      Word value =
          access.value.isPresent()
              ? machine.execute(
                  new WriteRegister(iommu, access.offset, access.size, access.value.get()))
              : UnitRegister.of(machine.unit(iommu), access.offset, access.size).read();
      return Reply.ok(new RegisterValue(access.offset, access.size, value));
    };
  }
}
