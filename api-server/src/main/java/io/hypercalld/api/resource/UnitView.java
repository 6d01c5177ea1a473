package io.hypercalld.api.resource;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.driver.UnitDomainIds;
import io.hypercalld.iommu.driver.UnitDriver;
import io.hypercalld.iommu.platform.PlatformUnit;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.vtd.Capabilities;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * A remapping unit as it is told. Immutable.
 *
 * @param enabled whether it translates
 * @param devices functions that it covers
 */
record UnitView(
    int iommu,
    int segment,
    Word base,
    boolean includeAll,
    Word cap,
    Word ecap,
    CapabilityView capabilities,
    boolean enabled,
    Usage domainIds,
    long devices,
    Word rootTable,
    TableMode tableMode,
    Map<String, Object> counters) {
  /** Which tables the hypervisor has the unit use: scalable mode's where it can nest. */
  enum TableMode {
    LEGACY,
    SCALABLE
  }

  private static final List<Integer> ADDRESS_WIDTHS = List.of(30, 39, 48, 57, 64);

  /**
   * How many are in use, of how many.
   *
   * @param mapSlots slots of the map from id to owner; 0 where the number itself is the id, or one
   *     space serves all units
   * @param scans slots that look-ups by owner have read one after the other
   */
  record Usage(int used, int capacity, int mapSlots, long scans) {
    static Usage of(UnitDomainIds ids) {
      return new Usage(ids.used(), ids.capacity(), ids.mapSlots(), ids.scans());
    }
  }

  /** What the two capability registers mean. */
  record CapabilityView(
      int domainIds,
      List<Integer> addressWidths,
      int maximumGuestAddressWidth,
      List<Long> pageSizes,
      int faultRecords,
      boolean cachingMode,
      boolean requiresWriteBufferFlush,
      boolean pageSelectiveInvalidation,
      int maximumAddressMask,
      boolean zeroLengthReads,
      boolean queuedInvalidation,
      boolean coherentWalks,
      boolean passThrough,
      boolean snoopControl,
      boolean deviceTlbs,
      boolean interruptRemapping,
      boolean scalableMode,
      boolean nestedTranslation,
      Map<String, Word> cap,
      Map<String, Word> ecap) {
    static CapabilityView of(Capabilities capabilities) {
      return new CapabilityView(
          capabilities.domainIds(),
          widths(capabilities.sagaw()),
          capabilities.maximumGuestAddressWidth(),
          Arrays.stream(PageSize.values())
              .filter(capabilities::supports)
              .map(PageSize::bytes)
              .toList(),
          capabilities.faultRecords(),
          capabilities.cachingMode(),
          capabilities.requiresWriteBufferFlush(),
          capabilities.pageSelectiveInvalidation(),
          capabilities.maximumAddressMask(),
          capabilities.zeroLengthReads(),
          capabilities.queuedInvalidation(),
          capabilities.coherentWalks(),
          capabilities.passThrough(),
          capabilities.snoopControl(),
          capabilities.deviceTlbs(),
          capabilities.interruptRemapping(),
          capabilities.scalableMode(),
          capabilities.nestedTranslation(),
          capabilities.decodeCap(),
          capabilities.decodeEcap());
    }

    private static List<Integer> widths(long sagaw) {
      return java.util.stream.IntStream.range(0, ADDRESS_WIDTHS.size())
          .filter(bit -> (sagaw >>> bit & 1) != 0)
          .mapToObj(ADDRESS_WIDTHS::get)
          .toList();
    }
  }

  static UnitView of(Machine machine, UnitDriver driver) {
    int index = driver.index();
    RemappingUnit unit = machine.units().get(index);
    PlatformUnit platform = machine.platform().units().get(index);
    return new UnitView(
        index,
        platform.segment(),
        new Word(platform.base()),
        platform.definition().includeAll(),
        new Word(unit.capabilities().cap()),
        new Word(unit.capabilities().ecap()),
        CapabilityView.of(unit.capabilities()),
        unit.isEnabled(),
        Usage.of(driver.domainIds()),
        devicesOf(machine, index),
        new Word(driver.rootTable()),
        driver.nests() ? TableMode.SCALABLE : TableMode.LEGACY,
        CounterViews.of(unit.counters()));
  }

  static long devicesOf(Machine machine, int index) {
    return machine.driver().devices().all().stream()
        .flatMap(device -> unitOf(device).stream())
        .filter(unit -> unit.index() == index)
        .count();
  }

  private static java.util.Optional<UnitDriver> unitOf(PciDevice device) {
    return device.unit();
  }
}
