package io.hypercalld.api.resource;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.rest.Failure;
import io.hypercalld.api.rest.Parameter;
import io.hypercalld.api.rest.Problems;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.dma.Victim;
import io.hypercalld.iommu.pci.PciFunction;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.ExplainStep;
import io.hypercalld.iommu.unit.Explanation;
import io.hypercalld.iommu.unit.InterruptExplanation;
import io.hypercalld.iommu.unit.MemoryRequest;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.PasidPrefix;
import io.hypercalld.iommu.vtd.RemappableMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;

/** {@code /v1/explain/dma}: what would become of a request, and why. Immutable. */
final class ExplainRoutes {
  private ExplainRoutes() {}

  /** What a request may want. */
  enum Access {
    READ,
    WRITE
  }

  /**
   * An answer with its reasons.
   *
   * @param reason the fault reason's number, where it would be blocked by a fault
   * @param name the fault reason in words
   * @param stale whether a cache would answer what the tables no longer say
   * @param victim the frame that a device's request would reach, where it is none of its domain's
   * @param guest what its domain's own unit makes of a device's request, where it translates
   */
  record ExplanationView(
      String verdict,
      Optional<String> reason,
      Optional<String> name,
      Optional<Integer> iommu,
      boolean cached,
      boolean stale,
      List<StepView> steps,
      Optional<String> wouldPassIf,
      Optional<Victim> victim,
      Optional<GuestTablesView> guest) {

    /** One that reaches no frame. */
    ExplanationView(
        String verdict,
        Optional<String> reason,
        Optional<String> name,
        Optional<Integer> iommu,
        boolean cached,
        boolean stale,
        List<StepView> steps,
        Optional<String> wouldPassIf) {
      this(
          verdict,
          reason,
          name,
          iommu,
          cached,
          stale,
          steps,
          wouldPassIf,
          Optional.empty(),
          Optional.empty());
    }

    ExplanationView reaching(Optional<Victim> frame) {
      return new ExplanationView(
          verdict, reason, name, iommu, cached, stale, steps, wouldPassIf, frame, guest);
    }
  }

  /** One thing that is looked at. */
  record StepView(
      String table,
      Optional<Integer> level,
      Optional<Word> address,
      Optional<String> raw,
      Map<String, Word> fields,
      String verdict,
      String note) {}

  static List<Route> routes() {
    return List.of(
        Route.get("/v1/explain/dma", "What would become of a device's request, entry by entry")
            .taking(
                Parameter.required("sbdf", "the device", Sbdf.class),
                Parameter.required("iova", "the address in the request", Word.class),
                Parameter.required("access", "which way the bytes go", Access.class),
                Parameter.optional("pasid", "address space of the device", int.class))
            .answering(ExplanationView.class)
            .on(ExplainRoutes::dma),
        Route.get("/v1/explain/interrupt", "What would become of a message, entry by entry")
            .taking(
                Parameter.required("sbdf", "the device", Sbdf.class),
                Parameter.required("address", "the address written to", Word.class),
                Parameter.required("data", "the 32 bits written", Word.class))
            .answering(ExplanationView.class)
            .on(ExplainRoutes::interrupt));
  }

  private static Function<Machine, Reply> dma(Request request) {
    Sbdf sbdf = Names.sbdfParameter(request, "sbdf");
    long iova = Names.word(request, "iova").value();
    Access access = DomainRoutes.choice(request.parameter("access").orElse(""), Access.class);
    PasidPrefix prefix = Names.pasidParameter(request, "pasid");
    DmaAccess wanted = access == Access.READ ? DmaAccess.READ : DmaAccess.WRITE;
    MemoryRequest made = new MemoryRequest(sbdf.sourceId(), prefix, iova, wanted);
    return machine -> Reply.ok(explain(machine, sbdf, made));
  }

  private static ExplanationView explain(Machine machine, Sbdf sbdf, MemoryRequest made) {
    DeviceRoutes.device(machine, sbdf);
    PciFunction function = machine.topology().require(sbdf);
    OptionalInt unit = machine.scopes().unitOf(sbdf);
    if (!function.busMaster()) {
      return withoutUnit(
          "blocked", "the function is not a bus master", Optional.of("it were a bus master"));
    }
    boolean writing = made.access() == DmaAccess.WRITE;
    if (unit.isEmpty()) {
      return withoutUnit(
              "maps to " + new Word(made.iova()),
              "no remapping unit covers " + sbdf,
              Optional.empty())
          .reaching(machine.dmaVerdicts().victim(sbdf, made.iova(), writing));
    }
    int iommu = unit.getAsInt();
    Explanation explanation = machine.unit(iommu).explain(made);
    List<StepView> steps = new ArrayList<>();
    steps.add(routing("%s is behind iommu %d".formatted(sbdf, iommu), "next"));
    explanation.steps().stream().map(ExplainRoutes::view).forEach(steps::add);
    Optional<GuestTablesView> guest =
        machine.virtualIommus().judge(sbdf, made).map(own -> GuestTablesView.of(own, explanation));
    return new ExplanationView(
        explanation.verdict(),
        explanation.reason().map(UnitListings::number),
        explanation.reason().map(FaultReason::text),
        Optional.of(iommu),
        explanation.cached(),
        explanation.stale() || guest.filter(own -> own.oracle().isPresent()).isPresent(),
        steps,
        guest.flatMap(GuestTablesView::wouldPassIf).or(explanation::wouldPassIf),
        explanation.passes()
            ? machine.dmaVerdicts().victim(sbdf, explanation.maddr(), writing)
            : Optional.empty(),
        guest);
  }

  private static Function<Machine, Reply> interrupt(Request request) {
    Sbdf sbdf = Names.sbdfParameter(request, "sbdf");
    Word address = Names.word(request, "address");
    Word data = Names.word(request, "data");
    if (data.value() >>> Integer.SIZE != 0) {
      throw Failure.of(Problems.INVALID_PARAMETER, "data has 32 bits, not %s", data);
    }
    return machine -> {
      DeviceRoutes.device(machine, sbdf);
      OptionalInt unit = machine.scopes().unitOf(sbdf);
      if (unit.isEmpty()) {
        return Reply.ok(
            withoutUnit(
                "delivered as written", "no remapping unit covers " + sbdf, Optional.empty()));
      }
      int iommu = unit.getAsInt();
      InterruptExplanation explanation =
          machine
              .unit(iommu)
              .explainInterrupt(sbdf.sourceId(), address.value(), (int) data.value());
      List<StepView> steps = new ArrayList<>();
      steps.add(routing("%s is behind iommu %d".formatted(sbdf, iommu), "next"));
      explanation.steps().stream().map(ExplainRoutes::view).forEach(steps::add);
      Optional<GuestStage> guest =
          explanation.reason().isPresent()
              ? Optional.empty()
              : GuestStage.of(
                  machine, sbdf, new RemappableMessage(address.value(), (int) data.value()));
      guest.ifPresent(
          stage -> {
            steps.add(routing(stage.entrance(), "next"));
            stage.explanation().steps().stream().map(ExplainRoutes::view).forEach(steps::add);
          });
      return Reply.ok(view(guest.map(GuestStage::explanation).orElse(explanation), iommu, steps));
    };
  }

  private static ExplanationView view(
      InterruptExplanation decisive, int iommu, List<StepView> steps) {
    return new ExplanationView(
        decisive.verdict(),
        decisive.reason().map(UnitListings::number),
        decisive.reason().map(FaultReason::text),
        Optional.of(iommu),
        decisive.cached(),
        decisive.stale(),
        steps,
        decisive.wouldPassIf());
  }

  private static ExplanationView withoutUnit(
      String verdict, String note, Optional<String> wouldPassIf) {
    String step = verdict.equals("blocked") ? "blocked" : "leaf";
    return new ExplanationView(
        verdict,
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        false,
        false,
        List.of(routing(note, step)),
        wouldPassIf);
  }

  private static StepView routing(String note, String verdict) {
    return new StepView(
        "topology", Optional.empty(), Optional.empty(), Optional.empty(), Map.of(), verdict, note);
  }

  static StepView view(ExplainStep step) {
    boolean paging = step.table().isPaging();
    boolean inMemory = !step.table().isCache();
    return new StepView(
        step.table().toString(),
        paging ? Optional.of(step.level()) : Optional.empty(),
        inMemory ? Optional.of(new Word(step.address())) : Optional.empty(),
        step.raw().isEmpty() ? Optional.empty() : Optional.of(step.raw()),
        step.fields(),
        step.verdict().toString(),
        step.note());
  }
}
