package io.hypercalld.api.resource;

import static io.hypercalld.iommu.virtual.DeviceMode.DEFAULT;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.virtual.ShadowCounters;
import io.hypercalld.iommu.virtual.ShadowReport;
import io.hypercalld.iommu.virtual.VirtualIommu;
import io.hypercalld.iommu.virtual.VirtualUnit;
import io.hypercalld.iommu.virtual.VirtualUnitSettings;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.Register;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A virtual IOMMU as it is told. Immutable.
 *
 * @param api the generation of the hypercall that the domain's toolstack speaks
 * @param translating GSTS.TES
 * @param remappingInterrupts GSTS.IRES
 * @param devices the domain's physical devices and how their requests are translated; a shadow by
 *     its pseudo domain id
 * @param shadowSync when shadows follow the guest; empty where there are none
 */
record ViommuView(
    NewViommu.Type type,
    Word base,
    Word cap,
    Word ecap,
    String api,
    boolean intremap,
    boolean l2,
    boolean l1,
    boolean cachingMode,
    boolean translating,
    boolean remappingInterrupts,
    List<DeviceMode> devices,
    Optional<String> shadowSync,
    Optional<Costs> counters) {
  /**
   * How one device's requests are translated.
   *
   * @param mode default, shadow, nested or passthrough: where a guest in scalable mode uses several
   *     of these, that of its PASIDs which leaves most to the guest
   * @param shadow of requests without PASID
   * @param pasids what each PASID goes through; empty where the guest does not use scalable mode
   */
  record DeviceMode(
      Sbdf sbdf,
      Optional<Sbdf> guestBdf,
      String mode,
      Optional<Integer> shadow,
      Optional<List<PasidMode>> pasids) {}

  /**
   * What one PASID goes through.
   *
   * @param type of the guest's entry
   * @param domainId the guest's
   * @param tag whose domain-id stands for it in the machine's units: the domain, or a pseudo id
   * @param secondStage p2m where the shared P2M itself is it, dma-table where a separate table that
   *     follows the P2M is, shadow where that of a guest's second-level table is
   */
  record PasidMode(int pasid, String type, int domainId, int tag, String secondStage) {}

  /**
   * What shadows and emulated devices have cost.
   *
   * @param syncs how often shadows were brought into step, by what made it necessary
   * @param guestFaults faults of physical devices that went to the guest, by reason
   * @param hostFaults those of which the guest hears nothing
   * @param missingInvalidations requests that met what the guest has changed in silence
   * @param refusals devices that could not be switched
   * @param translateCalls of emulated devices
   * @param translateHits requests of emulated devices that needed no call
   */
  record Costs(
      Map<String, Long> syncs,
      Map<String, Long> guestFaults,
      long hostFaults,
      Optional<String> lastHostFault,
      long missingInvalidations,
      long refusals,
      Optional<String> lastRefusal,
      long translateCalls,
      long translateHits) {
    static Costs of(VirtualIommu iommu, ShadowCounters counters) {
      Map<String, Long> syncs = new LinkedHashMap<>();
      counters.syncs().forEach((trigger, count) -> syncs.put(trigger.toString(), count));
      Map<String, Long> faults = new LinkedHashMap<>();
      counters
          .guestFaults()
          .forEach((reason, count) -> faults.put("0x" + Integer.toHexString(reason.code()), count));
      return new Costs(
          syncs,
          faults,
          counters.hostFaults(),
          counters.lastHostFault(),
          counters.missingInvalidations(),
          counters.refusals(),
          counters.lastRefusal(),
          iommu.virtualDevices().calls(),
          iommu.virtualDevices().hits());
    }
  }

  static ViommuView of(Machine machine, Domain domain, VirtualIommu iommu) {
    VirtualUnit unit = iommu.requireUnit();
    VirtualUnitSettings settings = unit.settings();
    int status = unit.silicon().read32(Register.GSTS.offset());
    return new ViommuView(
        NewViommu.Type.INTEL_VTD,
        settings.base(),
        new Word(unit.silicon().capabilities().cap()),
        new Word(unit.silicon().capabilities().ecap()),
        iommu.api().toString(),
        settings.intremap(),
        settings.l2(),
        settings.l1(),
        settings.cachingMode(),
        GlobalCommand.TE.isSet(status),
        GlobalCommand.IRE.isSet(status),
        machine.driver().devices().ownedBy(domain.id()).stream()
            .map(device -> mode(device, iommu.report()))
            .toList(),
        settings.l2() ? Optional.of(settings.sync().toString()) : Optional.empty(),
        iommu.report().map(report -> Costs.of(iommu, report.counters())));
  }

  private static DeviceMode mode(PciDevice device, Optional<ShadowReport> report) {
    return new DeviceMode(
        device.sbdf(),
        device.guestAddress(),
        report.map(known -> known.modeOf(device)).orElse(DEFAULT).toString(),
        report.flatMap(known -> known.shadowOf(device)).map(DomainId::value),
        report.flatMap(known -> known.pasidsOf(device)).map(ViommuView::modes));
  }

  private static List<PasidMode> modes(List<ShadowReport.Pasid> pasids) {
    return pasids.stream()
        .map(
            each ->
                new PasidMode(
                    each.pasid(),
                    each.type().name().toLowerCase(Locale.ROOT).replace('_', '-'),
                    each.domainId(),
                    each.tag().value(),
                    each.secondStage().toString()))
        .toList();
  }
}
