package io.hypercalld.iommu.platform;

import io.hypercalld.core.errno.MalformedInput;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.CapabilityFields;
import io.hypercalld.iommu.vtd.ExtendedCapabilityFields;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What must hold for units: what Xen's driver would refuse to drive is refused here. Never
 * instantiated.
 *
 * @see "VT-d §11.4.2, §11.4.3; xen/drivers/passthrough/vtd/iommu.c, iommu_alloc"
 */
final class UnitRules {
  private static final int MOST_UNITS = 1024;
  private static final int PAGE_BYTES = 4096;
  private static final int INVALIDATION_REGISTERS_BYTES = 16;

  /** After the last register whose place is fixed in every revision. */
  private static final int FIXED_REGISTERS_END = 0xf0;

  private UnitRules() {}

  static void check(List<PlatformUnit> units) {
    if (units.size() > MOST_UNITS) {
      throw MalformedInput.at(
          "units", "%d remapping units are more than %d", units.size(), MOST_UNITS);
    }
    Set<Integer> includeAll = new HashSet<>();
    for (int index = 0; index < units.size(); index++) {
      PlatformUnit unit = units.get(index);
      String where = "unit " + index;
      checkCapabilities(where, unit.capabilities());
      require(
          where,
          !unit.version().invalidatesByRegisters(),
          unit.capabilities().queuedInvalidation(),
          "version 0x%x".formatted(unit.version().value()),
          "QI");
      if (unit.definition().includeAll() && !includeAll.add(unit.segment())) {
        throw MalformedInput.at(
            where, "a second unit covers all the rest of segment %d", unit.segment());
      }
      checkWindow(where, unit, units.subList(0, index));
    }
  }

  private static void checkWindow(String where, PlatformUnit unit, List<PlatformUnit> earlier) {
    for (PlatformUnit other : earlier) {
      if (unit.base() < other.end() && other.base() < unit.end()) {
        throw MalformedInput.at(
            where,
            "the registers at 0x%x overlap those at 0x%x of unit %d",
            unit.base(),
            other.base(),
            earlier.indexOf(other));
      }
    }
  }

  private static void checkCapabilities(String where, Capabilities unit) {
    if (unit.cap() == -1 || unit.ecap() == -1) {
      throw MalformedInput.at(where, "capabilities of all ones are those of no unit");
    }
    if (CapabilityFields.LAYOUT.hasReservedBits(unit.cap())
        || ExtendedCapabilityFields.LAYOUT.hasReservedBits(unit.ecap())) {
      throw MalformedInput.at(
          where, "reserved bits are set in cap 0x%x or ecap 0x%x", unit.cap(), unit.ecap());
    }
    if (unit.domainIdsAreReserved()) {
      throw MalformedInput.at(where, "cap 0x%x has the reserved number of domains 7", unit.cap());
    }
    if (!unit.supports(AddressWidth.BITS_39) && !unit.supports(AddressWidth.BITS_48)) {
      throw MalformedInput.at(
          where, "cap 0x%x supports neither 39-bit nor 48-bit tables", unit.cap());
    }
    checkRegisters(where, unit);
    checkDependencies(where, unit);
  }

  private static void checkRegisters(String where, Capabilities unit) {
    int records = unit.faultRecordOffset(0);
    int recordsEnd = unit.faultRecordOffset(unit.faultRecords());
    int invalidation = unit.invalidateAddressOffset();
    int invalidationEnd = invalidation + INVALIDATION_REGISTERS_BYTES;
    if (records < FIXED_REGISTERS_END || recordsEnd > PAGE_BYTES) {
      throw MalformedInput.at(
          where, "fault records at 0x%x to 0x%x do not fit the registers", records, recordsEnd);
    }
    if (invalidation < FIXED_REGISTERS_END || invalidationEnd > PAGE_BYTES) {
      throw MalformedInput.at(
          where, "invalidation registers at 0x%x do not fit the registers", invalidation);
    }
    if (records < invalidationEnd && invalidation < recordsEnd) {
      throw MalformedInput.at(
          where,
          "fault records at 0x%x and invalidation registers at 0x%x overlap",
          records,
          invalidation);
    }
  }

  private static void checkDependencies(String where, Capabilities unit) {
    require(where, unit.deviceTlbs(), unit.queuedInvalidation(), "device TLBs", "QI");
    require(where, unit.interruptRemapping(), unit.queuedInvalidation(), "remapping IR", "QI");
    require(where, unit.extendedInterruptMode(), unit.interruptRemapping(), "EIM", "IR");
    require(where, unit.pageRequests(), unit.deviceTlbs(), "page requests", "DT");
    require(where, unit.scalableMode(), unit.queuedInvalidation(), "scalable mode", "QI");
    for (PageSize size : List.of(PageSize.SIZE_2M, PageSize.SIZE_1G)) {
      boolean selective = unit.supports(size) && unit.pageSelectiveInvalidation();
      require(
          where,
          selective,
          unit.maximumAddressMask() >= size.order(),
          "invalidating a page of " + size.bytes() + " bytes",
          "an address mask of " + size.order());
    }
  }

  private static void require(
      String where, boolean claimed, boolean given, String what, String needed) {
    if (claimed && !given) {
      throw MalformedInput.at(where, "%s needs %s, which the unit lacks", what, needed);
    }
  }
}
