package io.hypercalld.api.resource;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.MoveVcpu;
import io.hypercalld.api.machine.ServeInterrupt;
import io.hypercalld.api.machine.SetApic;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.interrupt.DeliveryMode;
import io.hypercalld.core.interrupt.LocalApic;
import io.hypercalld.iommu.interrupt.DomainPirqs;
import io.hypercalld.iommu.interrupt.GuestBinding;
import io.hypercalld.iommu.interrupt.Pirq;
import io.hypercalld.iommu.interrupt.VirtualProcessor;
import io.hypercalld.iommu.interrupt.VirtualProcessors;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.function.Function;

/** The interrupts of vCPUs and of processors. Immutable. */
final class VcpuRoutes {
  private static final String ONE = "/v1/domains/{d}/vcpus/{v}";

  private VcpuRoutes() {}

  /**
   * A local APIC; vectors are ascending.
   *
   * @param waiting whether its processor waits for a start-up since an INIT
   * @param startAddress where the last start-up had it start
   */
  record ApicView(
      Word id,
      LocalApic.Mode mode,
      LocalApic.Model model,
      Word logicalId,
      Word taskPriority,
      Word processorPriority,
      List<Integer> irr,
      List<Integer> isr,
      List<Integer> tmr,
      Optional<Integer> pending,
      Map<String, Long> arrivals,
      boolean waiting,
      Optional<Word> startAddress) {
    private static final int PAGE_SHIFT = 12;

    static ApicView of(LocalApic apic) {
      return new ApicView(
          new Word(Integer.toUnsignedLong(apic.id())),
          apic.mode(),
          apic.model(),
          new Word(Integer.toUnsignedLong(apic.logicalId())),
          new Word(apic.taskPriority()),
          new Word(apic.processorPriority()),
          apic.irr(),
          apic.isr(),
          apic.tmr(),
          boxed(apic.pending()),
          counts(apic.arrivals()),
          apic.isWaiting(),
          apic.arrivals().containsKey(DeliveryMode.START_UP)
              ? Optional.of(new Word((long) apic.startPage() << PAGE_SHIFT))
              : Optional.empty());
    }

    private static Map<String, Long> counts(Map<DeliveryMode, Long> arrivals) {
      Map<String, Long> counts = new TreeMap<>();
      arrivals.forEach((mode, count) -> counts.put(mode.name().toLowerCase(Locale.ROOT), count));
      return counts;
    }
  }

  /** What software sets of a local APIC; what is left out stays. */
  record ApicSetting(
      Optional<LocalApic.Mode> mode,
      Optional<LocalApic.Model> model,
      Optional<Word> logicalId,
      Optional<Word> taskPriority) {}

  /** Where a vCPU is, and what was posted to it and not yet taken over. */
  record PlaceView(VirtualProcessor.State state, int processor, Optional<Word> descriptor) {
    static PlaceView of(VirtualProcessor place) {
      return new PlaceView(
          place.state(),
          place.processor(),
          place.descriptor().isPresent()
              ? Optional.of(new Word(place.descriptor().getAsLong()))
              : Optional.empty());
    }
  }

  /** A vCPU's interrupts. */
  record VcpuView(int vcpu, ApicView apic, PlaceView placement) {}

  /** What a vCPU does with its interrupts. */
  record Serving(ServeInterrupt.Step action) {}

  /** The vector that it was about, if there was one. */
  record Served(Optional<Integer> vector) {}

  /** What the scheduler does. */
  record Placement(VirtualProcessor.State state, Optional<Integer> processor) {}

  /** An interrupt of the machine that a domain has. */
  record PirqView(
      int pirq,
      int irq,
      Optional<String> binding,
      Optional<Integer> vector,
      Optional<Integer> vcpu,
      boolean posted,
      List<LineView> lines) {}

  /** A line that it asserts. */
  record LineView(int bus, int device, int intx, int gsi) {}

  static List<Route> routes() {
    return List.of(
        Route.get(ONE + "/interrupts", "The interrupts of a vCPU, and where it runs")
            .answering(VcpuView.class)
            .on(request -> ofVcpu(request, VcpuRoutes::view)),
        Route.of(Method.POST, ONE + "/interrupts", "Has a vCPU take its next vector, or end one")
            .reading(Serving.class)
            .answering(Served.class)
            .on(VcpuRoutes::serve),
        Route.of(Method.PUT, ONE + "/apic", "Sets up the local APIC of a vCPU")
            .reading(ApicSetting.class)
            .answering(ApicView.class)
            .on(VcpuRoutes::setUp),
        Route.of(Method.PUT, ONE + "/placement", "Has the scheduler run, preempt, block or wake")
            .reading(Placement.class)
            .answering(PlaceView.class)
            .on(VcpuRoutes::move),
        Route.get("/v1/domains/{d}/pirqs", "The interrupts of the machine that a domain has")
            .answering(Page.ofItems(PirqView.class))
            .on(VcpuRoutes::pirqs),
        Route.get("/v1/machine/processors", "The interrupts of the machine's processors")
            .answering(Page.ofItems(ApicView.class))
            .on(
                request ->
                    machine ->
                        Reply.ok(
                            Page.whole(
                                machine.interrupts().processors().apics().all().stream()
                                    .<Object>map(ApicView::of)
                                    .toList()))));
  }

  /** What is to be done with a vCPU. */
  private interface Task {
    Object on(Machine machine, Domain domain, int vcpu);
  }

  private static Function<Machine, Reply> ofVcpu(Request request, Task task) {
    Names.DomainName name = Names.domain(request);
    int vcpu = Names.vcpu(request);
    return machine -> Reply.ok(task.on(machine, name.in(machine.hypervisor().domains()), vcpu));
  }

  private static VcpuView view(Machine machine, Domain domain, int vcpu) {
    LocalApic apic = ServeInterrupt.apic(ServeInterrupt.of(domain), vcpu);
    return new VcpuView(
        vcpu, ApicView.of(apic), PlaceView.of(domain.facet(VirtualProcessors.class).place(vcpu)));
  }

  private static Function<Machine, Reply> serve(Request request) {
    Serving serving = request.read(Serving.class);
    return ofVcpu(
        request,
        (machine, domain, vcpu) ->
            new Served(
                boxed(machine.execute(new ServeInterrupt(domain.id(), vcpu, serving.action)))));
  }

  private static Function<Machine, Reply> setUp(Request request) {
    ApicSetting wanted = request.read(ApicSetting.class);
    return ofVcpu(
        request,
        (machine, domain, vcpu) ->
            ApicView.of(
                machine.execute(
                    new SetApic(
                        domain.id(),
                        vcpu,
                        wanted.mode,
                        wanted.model,
                        wanted.logicalId,
                        wanted.taskPriority))));
  }

  private static Function<Machine, Reply> move(Request request) {
    Placement wanted = request.read(Placement.class);
    return ofVcpu(
        request,
        (machine, domain, vcpu) ->
            PlaceView.of(
                machine.execute(new MoveVcpu(domain.id(), vcpu, wanted.state, wanted.processor))));
  }

  private static Function<Machine, Reply> pirqs(Request request) {
    Names.DomainName name = Names.domain(request);
    return machine -> {
      Domain domain = name.in(machine.hypervisor().domains());
      return Reply.ok(
          Page.whole(
              domain.facet(DomainPirqs.class).all().stream()
                  .<Object>map(pirq -> view(machine, domain, pirq))
                  .toList()));
    };
  }

  private static PirqView view(Machine machine, Domain domain, Pirq pirq) {
    return switch (pirq.binding().orElse(null)) {
      case GuestBinding.Message message ->
          new PirqView(
              pirq.number(),
              pirq.irq(),
              Optional.of("msi"),
              boxed(machine.interrupts().binding().vectorOf(domain, pirq, message)),
              boxed(message.vcpu()),
              message.posted(),
              List.of());
      case GuestBinding.Wires wires ->
          new PirqView(
              pirq.number(),
              pirq.irq(),
              Optional.of(wires.translated() ? "msi-translate" : "pci"),
              Optional.empty(),
              Optional.empty(),
              false,
              wires.lines().stream()
                  .map(
                      line ->
                          new LineView(
                              line.bus(),
                              line.line().device(),
                              line.line().line(),
                              line.line().gsi()))
                  .toList());
      case null ->
          new PirqView(
              pirq.number(),
              pirq.irq(),
              Optional.empty(),
              Optional.empty(),
              Optional.empty(),
              false,
              List.of());
    };
  }

  private static Optional<Integer> boxed(OptionalInt number) {
    return number.isPresent() ? Optional.of(number.getAsInt()) : Optional.empty();
  }
}
