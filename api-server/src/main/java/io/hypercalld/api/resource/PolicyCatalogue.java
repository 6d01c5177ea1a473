package io.hypercalld.api.resource;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.domain.VcpuLimit;
import io.hypercalld.core.p2m.SyncHook;
import io.hypercalld.iommu.driver.DriverPolicies;
import io.hypercalld.iommu.driver.FlushPolicy;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Every policy there is, and which of its alternatives can be chosen. Immutable. */
final class PolicyCatalogue {
  private static final String MACHINE = "machine";
  private static final String DOMAIN = "domain";

  private static final List<String> FLUSHES =
      Arrays.stream(FlushPolicy.values()).map(FlushPolicy::toString).toList();

  private PolicyCatalogue() {}

  /**
   * A policy as it is told. Immutable.
   *
   * @param appliesTo machine or domain
   * @param built the alternatives that can be chosen; the others are refused
   */
  record Policy(
      String name,
      String appliesTo,
      @io.hypercalld.api.json.MemberName("default") String usual,
      List<String> alternatives,
      List<String> built,
      String changes) {}

  static List<Route> routes() {
    return List.of(
        Route.get("/v1/policies", "Every policy, its alternatives and what it changes")
            .answering(Page.ofItems(Policy.class))
            .by(request -> Reply.ok(Page.whole(all()))));
  }

  /** The machine's policies in force. */
  static Map<String, String> ofMachine(Machine machine) {
    Map<String, String> policies = new LinkedHashMap<>();
    all().stream()
        .filter(policy -> policy.appliesTo.equals(MACHINE))
        .forEach(policy -> policies.put(policy.name, policy.usual));
    DriverPolicies chosen = machine.driver().policies();
    policies.put("domainIds", chosen.domainIds().toString());
    policies.put("quarantine", chosen.quarantine().toString());
    policies.put("profile", chosen.profile().toString());
    policies.put("flush", chosen.flush().toString());
    policies.put("intpost", machine.interrupts().posting().isOn() ? "on" : "off");
    policies.put("viommu", machine.virtualIommus().allowed() ? "on" : "off");
    policies.put(
        "maxVcpus", Integer.toString(machine.hypervisor().domains().vcpuLimit().ofPolicies()));
    policies.put("ats", machine.driver().deviceTlbsAllowed() ? "on" : "off");
    return policies;
  }

  private static Policy built(
      String name, String appliesTo, List<String> alternatives, String changes) {
    return new Policy(
        name, appliesTo, alternatives.getFirst(), alternatives, alternatives, changes);
  }

  /** The first alternative is the default: what Xen ships. */
  private static List<Policy> all() {
    return List.of(
        built(
            "domainIds",
            MACHINE,
            List.of("per-unit", "global", "verbatim"),
            "how domain-ids are chosen: from each unit's own space, from one for the platform, or"
                + " the domain's number itself"),
        built(
            "quarantine",
            MACHINE,
            List.of("basic", "off", "scratch-page"),
            "what a device without a guest may reach: nothing, what dom0 may, or one page"),
        built(
            "profile",
            MACHINE,
            List.of("today", "as-shipped", "fixed"),
            "which Xen it is: today's; those of 2008 and 2009 that first gave devices to guests and"
                + " had domain-ids per unit, with their errnos and defects; or those mended"),
        built(
            "flush",
            MACHINE,
            FLUSHES,
            "the same as the policy flush of a domain, for domains that are made from now on"),
        built(
            "intpost",
            MACHINE,
            List.of("off", "on"),
            "whether messages that guests bind from now on are posted to their vCPUs by hardware"),
        built(
            "ats",
            MACHINE,
            List.of("off", "on"),
            "whether devices that change hands from now on may remember translations by"
                + " themselves, behind units that can tell them to forget"),
        built(
            "viommu",
            MACHINE,
            List.of("off", "on"),
            "whether the host allows virtual IOMMUs, which v3 of the hypercall asks"),
        built(
            "maxVcpus",
            MACHINE,
            List.of("288", "1 to " + VcpuLimit.MOST),
            "how many vCPUs an HVM or PVH domain can have: a number; until one is chosen the bare"
                + " hypercall allows 128, as Xen does"),
        new Policy(
            "pageTables",
            DOMAIN,
            "shared",
            List.of("shared", "separate"),
            List.of("shared", "separate"),
            "whether devices go through the P2M itself or through a table that mirrors it"),
        built(
            "p2mPageSize",
            DOMAIN,
            List.of("4KiB", "8KiB", "16KiB", "64KiB"),
            "the granule of the P2M: its smallest leaf and the size of its tables"),
        built(
            "dmaLeafSizes",
            DOMAIN,
            List.of("4KiB,2MiB,1GiB", "4KiB,2MiB", "4KiB"),
            "the leaves that a separate table may have"),
        built(
            "syncHooks",
            DOMAIN,
            Stream.concat(
                    Stream.of("all"), Arrays.stream(SyncHook.values()).map(SyncHook::toString))
                .toList(),
            "which kinds of changes of the P2M devices follow: a list; without one of them what"
                + " they reach grows stale"),
        built(
            "devicePaging",
            DOMAIN,
            List.of("refuse", "allow"),
            "whether a domain that devices may reach can have a pager, too: Xen refuses whichever"
                + " comes second; allowed, devices fault on what is paged out"),
        built(
            "tableFrameSize",
            DOMAIN,
            List.of("4KiB", "16KiB"),
            "what a separate table takes of memory, however much of it the table needs"),
        built(
            "flush",
            DOMAIN,
            FLUSHES,
            "when units are told of what changed in the domain's DMA tables: after each page or"
                + " superpage, once for a hypercall, or put off until 256 changes wait or 10 ms"
                + " have passed, during which devices may reach what is not the domain's any more"),
        new Policy(
            "dmaMode",
            DOMAIN,
            "vp-iommu",
            List.of("p2m", "identity", "vp", "vp-iommu"),
            List.of("p2m", "identity", "vp", "vp-iommu"),
            "what dom0, or a driver domain, tells its devices as addresses: machine frames that it"
                + " reads in its exposed P2M, guest frames that are machine frames, machine frames"
                + " that it asks for, or what a unit translates; only the last checks what devices"
                + " reach. Without a unit the default is vp, for PV domains p2m"),
        built(
            "iommuApi",
            DOMAIN,
            List.of("2024", "2016"),
            "which iommu_op a driver domain in mode vp-iommu has: contexts that it fills by runs of"
                + " pages, or one space and a list of operations with a status each"),
        new Policy(
            "nbCtx",
            DOMAIN,
            "8",
            List.of("0", "1", "2", "8", "4096"),
            List.of("0", "1", "2", "8", "4096"),
            "how many contexts a driver domain may make for its devices beside the first: any"
                + " number up to 4096, as Xen's option dom0-iommu=nb-ctx"),
        built(
            "unclaimed",
            DOMAIN,
            List.of("refuse", "ram", "discard"),
            "what becomes of a write to an ioreq page that no server claims"),
        built("claimAccess", DOMAIN, List.of("write", "all"), "which accesses a claim forwards"),
        built(
            "claimUpdate",
            DOMAIN,
            List.of("lazy", "eager", "indexed", "protect-at-tag"),
            "when pages follow a claim"),
        built(
            "serverDestroy",
            DOMAIN,
            List.of("leave", "release"),
            "what becomes of the pages of an ioreq server that is destroyed"),
        built(
            "claimTypes",
            DOMAIN,
            List.of("1", "2", "3", "4"),
            "how many page types there are for servers: ioreq_server, ioreq_server1 and so on; any"
                + " beyond the first need a fifth bit of an entry"),
        built(
            "claimProfile",
            DOMAIN,
            List.of("today", "pre-2018", "2017-04"),
            "which Xen it is: today's; that of 2018, whose hypervisor's copies bypass claims; or"
                + " the first, where pages outlive the release of their claim, too"),
        built("apicIds", DOMAIN, List.of("2n", "n"), "how APIC ids follow from vCPU numbers"),
        built(
            "intremap",
            DOMAIN,
            List.of("off", "on"),
            "whether the domain has a virtual IOMMU that remaps interrupts: made with it where none"
                + " is asked for"),
        built(
            "extDestId",
            DOMAIN,
            List.of("off", "on"),
            "whether the guest is told that its messages may have destinations of 15 bits, where"
                + " every ioreq server knows them when it is first let run"),
        built("shadowSync", DOMAIN, List.of("strict", "lazy"), "when a shadow follows the guest"),
        built("viommuApi", DOMAIN, List.of("v4", "v3", "v2"), "which interface creates one"));
  }
}
