package io.hypercalld.api.resource;

import io.hypercalld.api.experiment.AddressModeAnswer;
import io.hypercalld.api.experiment.AddressModeExperiment;
import io.hypercalld.api.experiment.AddressModeQuestion;
import io.hypercalld.api.experiment.DomainIdAnswer;
import io.hypercalld.api.experiment.DomainIdExperiment;
import io.hypercalld.api.experiment.DomainIdQuestion;
import io.hypercalld.api.experiment.Findings;
import io.hypercalld.api.experiment.HardwareDomainQuestion;
import io.hypercalld.api.experiment.NestedWalksAnswer;
import io.hypercalld.api.experiment.NestedWalksExperiment;
import io.hypercalld.api.experiment.NestedWalksQuestion;
import io.hypercalld.api.experiment.PageClaimAnswer;
import io.hypercalld.api.experiment.PageClaimExperiment;
import io.hypercalld.api.experiment.PageClaimQuestion;
import io.hypercalld.api.experiment.PageTableAnswer;
import io.hypercalld.api.experiment.PageTableExperiment;
import io.hypercalld.api.experiment.PageTableQuestion;
import io.hypercalld.api.experiment.RetargetAnswer;
import io.hypercalld.api.experiment.RetargetExperiment;
import io.hypercalld.api.experiment.RetargetQuestion;
import io.hypercalld.api.experiment.ShadowCostsAnswer;
import io.hypercalld.api.experiment.ShadowCostsExperiment;
import io.hypercalld.api.experiment.ShadowCostsQuestion;
import io.hypercalld.api.experiment.SyncHookAnswer;
import io.hypercalld.api.experiment.SyncHookExperiment;
import io.hypercalld.api.experiment.SyncHookQuestion;
import io.hypercalld.api.experiment.TlbInsertQuestion;
import io.hypercalld.api.experiment.TranslateCallsAnswer;
import io.hypercalld.api.experiment.TranslateCallsExperiment;
import io.hypercalld.api.experiment.TranslateCallsQuestion;
import io.hypercalld.api.experiment.VcpuReachAnswer;
import io.hypercalld.api.experiment.VcpuReachExperiment;
import io.hypercalld.api.experiment.VcpuReachQuestion;
import io.hypercalld.api.experiment.ViommuModesAnswer;
import io.hypercalld.api.experiment.ViommuModesExperiment;
import io.hypercalld.api.experiment.ViommuModesQuestion;
import io.hypercalld.api.experiment.ViommuTimelineAnswer;
import io.hypercalld.api.experiment.ViommuTimelineExperiment;
import io.hypercalld.api.experiment.ViommuTimelineQuestion;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import java.util.List;
import java.util.function.Function;

/**
 * {@code /v1/experiments}: questions that are answered by trying, on machines of their own.
 * Immutable.
 */
final class ExperimentRoutes {
  private ExperimentRoutes() {}

  static List<Route> routes() {
    return List.of(
        experiment(
            "page-tables",
            "What devices' tables cost, separate or shared",
            PageTableQuestion.class,
            PageTableAnswer.class,
            PageTableExperiment::run),
        experiment(
            "domain-ids",
            "How many guests can have devices, what flushes cost them, and when an id may change"
                + " hands",
            DomainIdQuestion.class,
            DomainIdAnswer.class,
            DomainIdExperiment::run),
        experiment(
            "vcpu-reach",
            "How many vCPUs interrupts reach and guests boot with, with and without remapping, by"
                + " APIC ids and destinations",
            VcpuReachQuestion.class,
            VcpuReachAnswer.class,
            VcpuReachExperiment::run),
        experiment(
            "msi-retargets",
            "What sending messages to other vCPUs costs, by a virtual IOMMU or by extended"
                + " destinations",
            RetargetQuestion.class,
            RetargetAnswer.class,
            RetargetExperiment::run),
        experiment(
            "sync-hooks",
            "What a device reaches that is not its guest's, and what it misses, where one kind of"
                + " change is kept from its table",
            SyncHookQuestion.class,
            SyncHookAnswer.class,
            SyncHookExperiment::run),
        experiment(
            "ioreq-pages",
            "What pages that device models claim cost, and where their writes go, policy by policy",
            PageClaimQuestion.class,
            PageClaimAnswer.class,
            PageClaimExperiment::run),
        experiment(
            "viommu-modes",
            "Which tables a guest's devices walk in each mode of its virtual IOMMU",
            ViommuModesQuestion.class,
            ViommuModesAnswer.class,
            ViommuModesExperiment::run),
        experiment(
            "viommu-timeline",
            "Where a device's context entry points, from its domain's creation to its end",
            ViommuTimelineQuestion.class,
            ViommuTimelineAnswer.class,
            ViommuTimelineExperiment::run),
        experiment(
            "translate-calls",
            "How often an emulated device has to ask where its requests go",
            TranslateCallsQuestion.class,
            TranslateCallsAnswer.class,
            TranslateCallsExperiment::run),
        experiment(
            "shadow-costs",
            "What shadows of a guest's tables cost, by policy and by how much the guest has"
                + " forgotten at a time",
            ShadowCostsQuestion.class,
            ShadowCostsAnswer.class,
            ShadowCostsExperiment::run),
        experiment(
            "tlb-insert",
            "Whether a TLB can keep a frame that was swapped away under it, in every order of"
                + " steps",
            TlbInsertQuestion.class,
            TlbInsertQuestion.Answer.class,
            TlbInsertQuestion::answer),
        experiment(
            "address-modes",
            "Where drivers' bytes end in each address mode, what that costs, what is bounced and"
                + " what devices reach",
            AddressModeQuestion.class,
            AddressModeAnswer.class,
            AddressModeExperiment::run),
        experiment(
            "nested-walks",
            "How many entries a request reads that a guest's first-level tables translate",
            NestedWalksQuestion.class,
            NestedWalksAnswer.class,
            NestedWalksExperiment::run),
        experiment(
            "hardware-domain-table",
            "Whether dom0's table of all RAM gets done, or where it stays for ever",
            HardwareDomainQuestion.class,
            HardwareDomainQuestion.Answer.class,
            HardwareDomainQuestion::answer));
  }

  private static <Q, F extends Findings> Route experiment(
      String name, String asks, Class<Q> question, Class<F> findings, Function<Q, F> run) {
    return Route.of(
            Method.POST, "/v1/experiments/" + name, asks + "; as text where text/plain is accepted")
        .reading(question)
        .answering(findings)
        .aside(request -> reply(request, run.apply(request.read(question))));
  }

  private static Reply reply(Request request, Findings found) {
    return wantsText(request) ? Reply.text("text/plain", found.toText()) : Reply.ok(found);
  }

  private static boolean wantsText(Request request) {
    return request
        .header()
        .apply("Accept")
        .filter(types -> types.contains("text/plain"))
        .isPresent();
  }
}
