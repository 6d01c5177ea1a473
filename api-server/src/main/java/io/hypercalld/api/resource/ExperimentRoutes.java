package io.hypercalld.api.resource;

import io.hypercalld.api.experiment.AddressModeAnswer;
import io.hypercalld.api.experiment.AddressModeExperiment;
import io.hypercalld.api.experiment.AddressModeQuestion;
import io.hypercalld.api.experiment.DomainIdAnswer;
import io.hypercalld.api.experiment.DomainIdExperiment;
import io.hypercalld.api.experiment.DomainIdQuestion;
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

/**
 * {@code /v1/experiments}: questions that are answered by trying, on machines of their own.
 * Immutable.
 */
final class ExperimentRoutes {
  private ExperimentRoutes() {}

  static List<Route> routes() {
    return List.of(
        Route.of(
                Method.POST,
                "/v1/experiments/page-tables",
                "What devices' tables cost, separate or shared; as text where text/plain is"
                    + " accepted")
            .reading(PageTableQuestion.class)
            .answering(PageTableAnswer.class)
            .aside(ExperimentRoutes::pageTables),
        Route.of(
                Method.POST,
                "/v1/experiments/domain-ids",
                "How many guests can have devices, what flushes cost them, and when an id may"
                    + " change hands; as text where text/plain is accepted")
            .reading(DomainIdQuestion.class)
            .answering(DomainIdAnswer.class)
            .aside(ExperimentRoutes::domainIds),
        Route.of(
                Method.POST,
                "/v1/experiments/vcpu-reach",
                "How many vCPUs interrupts reach and guests boot with, with and without remapping,"
                    + " by APIC ids and destinations; as text where text/plain is accepted")
            .reading(VcpuReachQuestion.class)
            .answering(VcpuReachAnswer.class)
            .aside(ExperimentRoutes::vcpuReach),
        Route.of(
                Method.POST,
                "/v1/experiments/msi-retargets",
                "What sending messages to other vCPUs costs, by a virtual IOMMU or by extended"
                    + " destinations; as text where text/plain is accepted")
            .reading(RetargetQuestion.class)
            .answering(RetargetAnswer.class)
            .aside(ExperimentRoutes::retargets),
        Route.of(
                Method.POST,
                "/v1/experiments/sync-hooks",
                "What a device reaches that is not its guest's, and what it misses, where one kind"
                    + " of change is kept from its table; as text where text/plain is accepted")
            .reading(SyncHookQuestion.class)
            .answering(SyncHookAnswer.class)
            .aside(ExperimentRoutes::syncHooks),
        Route.of(
                Method.POST,
                "/v1/experiments/ioreq-pages",
                "What pages that device models claim cost, and where their writes go, policy by"
                    + " policy; as text where text/plain is accepted")
            .reading(PageClaimQuestion.class)
            .answering(PageClaimAnswer.class)
            .aside(ExperimentRoutes::pageClaims),
        Route.of(
                Method.POST,
                "/v1/experiments/viommu-modes",
                "Which tables a guest's devices walk in each mode of its virtual IOMMU; as text"
                    + " where text/plain is accepted")
            .reading(ViommuModesQuestion.class)
            .answering(ViommuModesAnswer.class)
            .aside(ExperimentRoutes::viommuModes),
        Route.of(
                Method.POST,
                "/v1/experiments/viommu-timeline",
                "Where a device's context entry points, from its domain's creation to its end; as"
                    + " text where text/plain is accepted")
            .reading(ViommuTimelineQuestion.class)
            .answering(ViommuTimelineAnswer.class)
            .aside(ExperimentRoutes::viommuTimeline),
        Route.of(
                Method.POST,
                "/v1/experiments/translate-calls",
                "How often an emulated device has to ask where its requests go; as text where"
                    + " text/plain is accepted")
            .reading(TranslateCallsQuestion.class)
            .answering(TranslateCallsAnswer.class)
            .aside(ExperimentRoutes::translateCalls),
        Route.of(
                Method.POST,
                "/v1/experiments/shadow-costs",
                "What shadows of a guest's tables cost, by policy and by how much the guest has"
                    + " forgotten at a time; as text where text/plain is accepted")
            .reading(ShadowCostsQuestion.class)
            .answering(ShadowCostsAnswer.class)
            .aside(ExperimentRoutes::shadowCosts),
        Route.of(
                Method.POST,
                "/v1/experiments/tlb-insert",
                "Whether a TLB can keep a frame that was swapped away under it, in every order of"
                    + " steps")
            .reading(TlbInsertQuestion.class)
            .answering(TlbInsertQuestion.Answer.class)
            .aside(request -> Reply.ok(request.read(TlbInsertQuestion.class).answer())),
        Route.of(
                Method.POST,
                "/v1/experiments/address-modes",
                "Where drivers' bytes end in each address mode, what that costs, what is bounced"
                    + " and what devices reach; as text where text/plain is accepted")
            .reading(AddressModeQuestion.class)
            .answering(AddressModeAnswer.class)
            .aside(ExperimentRoutes::addressModes),
        Route.of(
                Method.POST,
                "/v1/experiments/nested-walks",
                "How many entries a request reads that a guest's first-level tables translate; as"
                    + " text where text/plain is accepted")
            .reading(NestedWalksQuestion.class)
            .answering(NestedWalksAnswer.class)
            .aside(ExperimentRoutes::nestedWalks),
        Route.of(
                Method.POST,
                "/v1/experiments/hardware-domain-table",
                "Whether dom0's table of all RAM gets done, or where it stays for ever")
            .reading(HardwareDomainQuestion.class)
            .answering(HardwareDomainQuestion.Answer.class)
            .aside(request -> Reply.ok(request.read(HardwareDomainQuestion.class).answer())));
  }

  private static Reply addressModes(Request request) {
    AddressModeAnswer answer = AddressModeExperiment.run(request.read(AddressModeQuestion.class));
    return wantsText(request) ? Reply.text("text/plain", answer.toText()) : Reply.ok(answer);
  }

  private static Reply pageTables(Request request) {
    PageTableAnswer answer = PageTableExperiment.run(request.read(PageTableQuestion.class));
    return wantsText(request) ? Reply.text("text/plain", answer.toText()) : Reply.ok(answer);
  }

  private static Reply domainIds(Request request) {
    DomainIdAnswer answer = DomainIdExperiment.run(request.read(DomainIdQuestion.class));
    return wantsText(request) ? Reply.text("text/plain", answer.toText()) : Reply.ok(answer);
  }

  private static Reply vcpuReach(Request request) {
    VcpuReachAnswer answer = VcpuReachExperiment.run(request.read(VcpuReachQuestion.class));
    return wantsText(request) ? Reply.text("text/plain", answer.toText()) : Reply.ok(answer);
  }

  private static Reply retargets(Request request) {
    RetargetAnswer answer = RetargetExperiment.run(request.read(RetargetQuestion.class));
    return wantsText(request) ? Reply.text("text/plain", answer.toText()) : Reply.ok(answer);
  }

  private static Reply syncHooks(Request request) {
    SyncHookAnswer answer = SyncHookExperiment.run(request.read(SyncHookQuestion.class));
    return wantsText(request) ? Reply.text("text/plain", answer.toText()) : Reply.ok(answer);
  }

  private static Reply pageClaims(Request request) {
    PageClaimAnswer answer = PageClaimExperiment.run(request.read(PageClaimQuestion.class));
    return wantsText(request) ? Reply.text("text/plain", answer.toText()) : Reply.ok(answer);
  }

  private static Reply viommuModes(Request request) {
    ViommuModesAnswer answer = ViommuModesExperiment.run(request.read(ViommuModesQuestion.class));
    return wantsText(request) ? Reply.text("text/plain", answer.toText()) : Reply.ok(answer);
  }

  private static Reply viommuTimeline(Request request) {
    ViommuTimelineAnswer answer =
        ViommuTimelineExperiment.run(request.read(ViommuTimelineQuestion.class));
    return wantsText(request) ? Reply.text("text/plain", answer.toText()) : Reply.ok(answer);
  }

  private static Reply translateCalls(Request request) {
    TranslateCallsAnswer answer =
        TranslateCallsExperiment.run(request.read(TranslateCallsQuestion.class));
    return wantsText(request) ? Reply.text("text/plain", answer.toText()) : Reply.ok(answer);
  }

  private static Reply shadowCosts(Request request) {
    ShadowCostsAnswer answer = ShadowCostsExperiment.run(request.read(ShadowCostsQuestion.class));
    return wantsText(request) ? Reply.text("text/plain", answer.toText()) : Reply.ok(answer);
  }

  private static Reply nestedWalks(Request request) {
    NestedWalksAnswer answer = NestedWalksExperiment.run(request.read(NestedWalksQuestion.class));
    return wantsText(request) ? Reply.text("text/plain", answer.toText()) : Reply.ok(answer);
  }

  private static boolean wantsText(Request request) {
    return request
        .header()
        .apply("Accept")
        .filter(types -> types.contains("text/plain"))
        .isPresent();
  }
}
