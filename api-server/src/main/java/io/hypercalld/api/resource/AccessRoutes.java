package io.hypercalld.api.resource;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.Wait;
import io.hypercalld.api.resource.ExplainRoutes.Access;
import io.hypercalld.api.resource.ExplainRoutes.StepView;
import io.hypercalld.api.rest.Failure;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Parameter;
import io.hypercalld.api.rest.Problems;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.MemoryAccess;
import io.hypercalld.core.guest.AccessExplanation;
import io.hypercalld.core.guest.AccessHandling;
import io.hypercalld.core.guest.AccessOutcome;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mStep;
import io.hypercalld.ioreq.dispatch.PortAccess;
import io.hypercalld.ioreq.page.IoRequest;
import io.hypercalld.ioreq.page.RequestType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** What guests' instructions do to memory, and why. Immutable. */
final class AccessRoutes {
  private AccessRoutes() {}

  /**
   * What would become of an access.
   *
   * @param handling what the page's entry leads to
   * @param reason the same in words
   */
  record AccessExplanationView(
      String verdict,
      AccessHandling handling,
      String reason,
      List<StepView> steps,
      Optional<String> wouldPassIf) {}

  static List<Route> routes() {
    return List.of(
        Route.of(
                Method.POST,
                "/v1/domains/{d}/vcpus/{v}/access",
                "Has a guest's instruction access memory")
            .reading(VcpuAccess.MemoryBody.class)
            .answering(AccessOutcome.class)
            .waiting(AccessRoutes::access),
        Route.of(
                Method.POST,
                "/v1/domains/{d}/vcpus/{v}/io",
                "Has a guest's instruction access a port")
            .reading(VcpuAccess.PortBody.class)
            .answering(AccessOutcome.class)
            .waiting(AccessRoutes::port),
        Route.get("/v1/explain/access", "What would become of a guest's access, entry by entry")
            .taking(
                Parameter.required("domid", "the domain", DomainId.class),
                Parameter.optional("gpa", "guest-physical address", Word.class),
                Parameter.optional("port", "in place of it, a port", Word.class),
                Parameter.required("access", "which way the bytes go", Access.class),
                Parameter.optional(
                    "size", "how many bytes: 1, 2, 4 or 8; 1 if left out", int.class))
            .answering(AccessExplanationView.class)
            .on(AccessRoutes::explain));
  }

  private static Wait<Machine, Reply> access(Request request) {
    int vcpu = Names.vcpu(request);
    return outcome(request, request.read(VcpuAccess.MemoryBody.class).by(vcpu));
  }

  private static Wait<Machine, Reply> port(Request request) {
    int vcpu = Names.vcpu(request);
    return outcome(request, request.read(VcpuAccess.PortBody.class).by(vcpu));
  }

  /** An instruction that waits is executed again, which it is for as long as somebody waits. */
  private static Wait<Machine, Reply> outcome(Request request, VcpuAccess access) {
    Names.DomainName name = Names.domain(request);
    Function<Machine, AccessOutcome> execution =
        machine -> machine.execute(access.apply(name.in(machine.hypervisor().domains()).id()));
    return new Wait<>(
        machine ->
            Optional.of(execution.apply(machine))
                .filter(outcome -> outcome.outcome() != AccessOutcome.Verdict.PENDING)
                .map(Reply::ok),
        machine -> Reply.ok(execution.apply(machine)),
        Waits.preferred(request));
  }

  private static Function<Machine, Reply> explain(Request request) {
    boolean port = request.parameter("port").isPresent();
    if (port == request.parameter("gpa").isPresent()) {
      throw Failure.of(Problems.INVALID_PARAMETER, "either gpa or port says what is accessed");
    }
    Names.DomainName name = new Names.DomainName(request.parameter("domid").orElse(""));
    Access access = DomainRoutes.choice(request.parameter("access").orElse(""), Access.class);
    Function<Domain, AccessExplanationView> explanation =
        port ? ofPort(request, access) : ofMemory(request, access);
    return machine -> Reply.ok(explanation.apply(name.in(machine.hypervisor().domains())));
  }

  private static Function<Domain, AccessExplanationView> ofMemory(Request request, Access access) {
    Word gpa = Names.word(request, "gpa");
    MemoryAccess.Kind kind =
        access == Access.READ ? MemoryAccess.Kind.READ : MemoryAccess.Kind.WRITE;
    IoRequest asked =
        IoRequest.single(RequestType.COPY, gpa.value(), size(request), access == Access.READ, 0);
    Gfn gfn = new Gfn(gpa.value() >>> PageSize.SHIFT_4K);
    return domain -> view(domain, asked, AccessExplanation.of(domain, gfn, kind));
  }

  private static Function<Domain, AccessExplanationView> ofPort(Request request, Access access) {
    int port = VcpuAccess.portNumber(Names.word(request, "port"));
    PortAccess asked = new PortAccess(0, port, size(request), access == Access.READ, 0);
    asked.check();
    AccessHandling handling = AccessHandling.EMULATE;
    return domain ->
        new AccessExplanationView(
            "blocked",
            handling,
            handling.note(),
            SelectionSteps.ofPort(domain, asked),
            Optional.empty());
  }

  private static int size(Request request) {
    int size = Names.count(request, "size", Long.BYTES).orElse(1);
    if (Integer.bitCount(size) != 1) {
      throw Failure.of(Problems.INVALID_PARAMETER, "size is 1, 2, 4 or 8, not %d", size);
    }
    return size;
  }

  private static AccessExplanationView view(
      Domain domain, IoRequest asked, AccessExplanation explanation) {
    P2mLookup found = explanation.found();
    AccessHandling handling = explanation.handling();
    List<StepView> steps = new ArrayList<>();
    explanation.walk().stream().map(AccessRoutes::view).forEach(steps::add);
    String note = "%s, access %s: %s".formatted(found.type(), found.access(), handling.note());
    boolean passes = handling == AccessHandling.MEMORY || handling == AccessHandling.LOG_DIRTY;
    steps.add(decision(passes ? "leaf" : "blocked", note));
    if (handling == AccessHandling.EMULATE) {
      steps.addAll(SelectionSteps.of(domain, asked, found.type()));
    }
    long inPage = asked.address() & (PageSize.BYTES_4K - 1);
    String verdict = passes ? "maps to " + new Word(found.mfn().maddr() + inPage) : "blocked";
    return new AccessExplanationView(
        verdict, handling, handling.note(), steps, explanation.wouldPassIf());
  }

  static StepView view(P2mStep step) {
    String verdict =
        switch (step.verdict()) {
          case NEXT -> "next";
          case LEAF -> "leaf";
          case EMPTY -> "blocked";
        };
    return new StepView(
        "p2m",
        Optional.of(step.level()),
        Optional.of(step.entryAddress()),
        Optional.of(step.raw().toString()),
        step.fields(),
        verdict,
        verdict.equals("blocked") ? "nothing is mapped" : "");
  }

  private static StepView decision(String verdict, String note) {
    return new StepView(
        "p2m", Optional.empty(), Optional.empty(), Optional.empty(), Map.of(), verdict, note);
  }
}
