package io.hypercalld.api.metrics;

import io.hypercalld.api.metrics.DomainSample.State;
import io.hypercalld.core.p2m.P2mUpdate;
import io.hypercalld.iommu.driver.PciDevice;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** Memory, domains and devices of a snapshot as metrics. Immutable. */
final class MachineFamilies {
  private final MetricsSnapshot machine;

  MachineFamilies(MetricsSnapshot machine) {
    this.machine = machine;
  }

  List<Family> all() {
    return List.of(
        Family.gauge("hv_machine_memory_total_bytes", "RAM that firmware does not keep.")
            .with(machine.totalBytes()),
        Family.gauge("hv_machine_memory_free_bytes", "RAM that is not allocated.")
            .with(machine.freeBytes()),
        Family.counter("hv_domains_created", "Domains created since the start, dom0 included.")
            .with(machine.domainsCreated()),
        Family.counter("hv_domains_destroyed", "Domains that are gone.")
            .with(machine.domainsDestroyed()),
        domains(),
        domainMemory(),
        domainDevices(),
        p2mEntries(),
        p2mTablePages(),
        p2mUpdates(),
        pageTablePages(),
        sharedPageTables(),
        devices(),
        deviceOwners());
  }

  private Family domains() {
    Family family = Family.gauge("hv_domains", "Domains by state, dom0 included.");
    for (State state : State.values()) {
      long count = machine.domains().stream().filter(domain -> domain.state() == state).count();
      family.with(count, "state", lowerCase(state));
    }
    return family;
  }

  private Family domainMemory() {
    return ofDomains(
        "hv_domain_memory_bytes",
        "Memory charged to a domain.",
        (family, rank, domain) ->
            family.withObject(rank, domain.memoryBytes(), "domid", id(domain)));
  }

  private Family domainDevices() {
    return ofDomains(
        "hv_domain_devices",
        "Devices that a domain owns.",
        (family, rank, domain) -> family.withObject(rank, domain.devices(), "domid", id(domain)));
  }

  private Family p2mEntries() {
    return ofDomains(
        "hv_p2m_entries",
        "Leaves of a domain's P2M by type and by log2 of their frames.",
        (family, rank, domain) ->
            domain
                .p2m()
                .map(DomainSample.Physmap::leaves)
                .ifPresent(leaves -> addLeaves(family, rank, id(domain), leaves)));
  }

  private static void addLeaves(Family family, int rank, String domid, LeafCounts leaves) {
    leaves
        .byType()
        .forEach(
            (type, byOrder) ->
                byOrder.forEach(
                    (order, count) ->
                        family.withObject(
                            rank,
                            count,
                            "domid",
                            domid,
                            "type",
                            type.toString(),
                            "order",
                            Integer.toString(order))));
  }

  private Family p2mUpdates() {
    Family family =
        Family.counter("hv_p2m_updates", "Changes of P2Ms by kind and by what came of them.");
    for (P2mUpdate update : P2mUpdate.values()) {
      String op = update.toString();
      family.with(machine.p2mUpdates().done(update), "op", op, "result", "ok");
      machine
          .p2mUpdates()
          .refused(update)
          .forEach((errno, times) -> family.with(times, "op", op, "result", errno.name()));
    }
    return family;
  }

  private Family p2mTablePages() {
    return ofDomains(
        "hv_p2m_table_pages",
        "Pages that a domain's P2M tables take, the root included.",
        (family, rank, domain) ->
            domain
                .p2m()
                .ifPresent(p2m -> family.withObject(rank, p2m.pages(), "domid", id(domain))));
  }

  private Family pageTablePages() {
    return ofDomains(
        "hv_iommu_page_table_pages",
        "Pages that a domain's DMA tables take besides its P2M; 0 where its devices go through the"
            + " P2M itself.",
        (family, rank, domain) ->
            domain
                .iommu()
                .ifPresent(
                    iommu ->
                        family.withObject(rank, iommu.tables().orElse(0), "domid", id(domain))));
  }

  private Family sharedPageTables() {
    return ofDomains(
        "hv_iommu_shared_page_tables",
        "Whether a domain's devices go through its P2M itself.",
        (family, rank, domain) ->
            domain
                .iommu()
                .ifPresent(
                    iommu ->
                        family.withObject(
                            rank, iommu.tables().isPresent() ? 0 : 1, "domid", id(domain))));
  }

  /** Adds what there is of one domain. */
  private interface Addition {
    void add(Family family, int rank, DomainSample domain);
  }

  private Family ofDomains(String name, String help, Addition addition) {
    Family family = Family.gauge(name, help);
    int rank = 0;
    for (DomainSample domain : machine.domains()) {
      addition.add(family, rank, domain);
      rank++;
    }
    return family;
  }

  private Family devices() {
    Family family = Family.gauge("hv_devices", "PCI functions by what they are in use for.");
    for (PciDevice.State state : PciDevice.State.values()) {
      long count = machine.devices().stream().filter(device -> device.state() == state).count();
      family.with(count, "state", lowerCase(state));
    }
    return family;
  }

  /** Those that are not dom0's come first, so that they are not the ones left out. */
  private Family deviceOwners() {
    Family family =
        Family.gauge("hv_device_owner", "1 for each PCI function and the domain id of its owner.");
    List<DeviceSample> interestingFirst =
        machine.devices().stream()
            .sorted(Comparator.comparing(device -> device.state() == PciDevice.State.DOM0))
            .toList();
    int rank = 0;
    for (DeviceSample device : interestingFirst) {
      family.withObject(
          rank, 1, "sbdf", device.sbdf().toString(), "domid", Integer.toString(device.owner()));
      rank++;
    }
    return family;
  }

  private static String id(DomainSample domain) {
    return Integer.toString(domain.domid());
  }

  private static String lowerCase(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }
}
