package io.hypercalld.iommu;

import static io.hypercalld.core.house.HouseRules.dependsOnly;

import com.tngtech.archunit.core.domain.JavaClasses;
import io.hypercalld.core.house.HouseRule;
import io.hypercalld.core.house.HouseRules;
import io.hypercalld.core.house.KeepsHouse;
import io.hypercalld.iommu.acpi.planted.DrivenTable;
import io.hypercalld.iommu.audit.planted.BootedAudit;
import io.hypercalld.iommu.driver.planted.Shortcut;
import io.hypercalld.iommu.fault.planted.SilentFault;
import io.hypercalld.iommu.hypercall.planted.DirectCall;
import io.hypercalld.iommu.interrupt.planted.WiredSilicon;
import io.hypercalld.iommu.pci.planted.RemappedFunction;
import io.hypercalld.iommu.planted.Borrower;
import io.hypercalld.iommu.platform.planted.RunningPlatform;
import io.hypercalld.iommu.reach.planted.AuditedReach;
import io.hypercalld.iommu.unit.planted.OwnedSilicon;
import io.hypercalld.iommu.virtual.planted.HandledGuest;
import io.hypercalld.iommu.vtd.planted.LiveFormat;
import java.util.List;
import java.util.stream.Stream;

/**
 * The layers of the IOMMU, and the rules of the house: hardware knows no hypervisor, and the driver
 * reaches hardware through registers and memory only.
 */
final class LayeringTest implements KeepsHouse {
  private static final JavaClasses PRODUCT = HouseRule.productClasses("io.hypercalld.iommu");

  private static final String CORE = "io.hypercalld.core..";
  private static final String BITS = "io.hypercalld.core.bits..";
  private static final String DIGEST = "io.hypercalld.core.digest..";
  private static final String ERRNO = "io.hypercalld.core.errno..";
  private static final String APIC = "io.hypercalld.core.interrupt..";
  private static final String MEMORY = "io.hypercalld.core.memory..";
  private static final String AUDIT = "io.hypercalld.iommu.audit..";
  private static final String ACPI = "io.hypercalld.iommu.acpi..";
  private static final String DRIVER = "io.hypercalld.iommu.driver..";
  private static final String FAULT = "io.hypercalld.iommu.fault..";
  private static final String INTERRUPT = "io.hypercalld.iommu.interrupt..";
  private static final String HYPERCALL = "io.hypercalld.iommu.hypercall..";
  private static final String PCI = "io.hypercalld.iommu.pci..";
  private static final String DMA = "io.hypercalld.core.dma..";
  private static final String PLATFORM = "io.hypercalld.iommu.platform..";
  private static final String VIRTUAL = "io.hypercalld.iommu.virtual..";
  private static final String REACH = "io.hypercalld.iommu.reach..";
  private static final String UNIT = "io.hypercalld.iommu.unit..";
  private static final String VTD = "io.hypercalld.iommu.vtd..";

  private static List<HouseRule> layers() {
    return List.of(
        dependsOnly("io.hypercalld.iommu..", List.of(CORE), Borrower.class),
        dependsOnly(PCI, List.of(BITS, DIGEST, ERRNO), RemappedFunction.class),
        dependsOnly(ACPI, List.of(PCI, BITS, ERRNO), DrivenTable.class),
        dependsOnly(VTD, List.of(PCI, BITS, DIGEST, APIC, MEMORY), LiveFormat.class),
        dependsOnly(
            PLATFORM,
            List.of(ACPI, PCI, VTD, BITS, DIGEST, DMA, ERRNO, MEMORY),
            RunningPlatform.class),
        // Refuses by errno only what no device could ask for: a transfer past the end of addresses.
        dependsOnly(UNIT, List.of(VTD, PCI, BITS, DIGEST, ERRNO, MEMORY), OwnedSilicon.class),
        dependsOnly(DRIVER, List.of(PLATFORM, VTD, PCI, ACPI, CORE), Shortcut.class),
        dependsOnly(INTERRUPT, List.of(DRIVER, VTD, PCI, CORE), WiredSilicon.class),
        dependsOnly(FAULT, List.of(DRIVER, VTD, PCI, CORE), SilentFault.class),
        dependsOnly(HYPERCALL, List.of(DRIVER, INTERRUPT, PCI, CORE), DirectCall.class),
        dependsOnly(VIRTUAL, List.of(DRIVER, UNIT, VTD, PCI, ACPI, CORE), HandledGuest.class),
        dependsOnly(REACH, List.of(VIRTUAL, INTERRUPT, VTD, CORE), AuditedReach.class),
        dependsOnly(AUDIT, List.of(DRIVER, INTERRUPT, UNIT, VTD, PCI, CORE), BootedAudit.class));
  }

  static Stream<HouseRule> rules() {
    return Stream.of(layers(), HouseRules.everywhere(), HouseRules.belowTheApi())
        .flatMap(List::stream);
  }

  @Override
  public JavaClasses product() {
    return PRODUCT;
  }
}
