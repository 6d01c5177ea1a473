package io.hypercalld.iommu.acpi;

import java.util.List;

/**
 * A DMA Remapping Reporting table. Immutable.
 *
 * @param hostAddressWidth in bits
 * @param flags bit 0 INTR_REMAP, bit 1 X2APIC_OPT_OUT, bit 2 DMA_CTRL_PLATFORM_OPT_IN
 * @param structures in the order of the table; those of unknown type are left out
 * @param warnings what is odd about the table without making it unusable, one line each
 * @see "VT-d §8.1"
 */
public record DmarTable(
    AcpiHeader header,
    int hostAddressWidth,
    int flags,
    List<DmarStructure> structures,
    List<String> warnings) {
  public DmarTable {
    structures = List.copyOf(structures);
    warnings = List.copyOf(warnings);
  }

  /** The remapping units; a unit's index is its place in this list. */
  public List<Drhd> drhds() {
    return of(Drhd.class);
  }

  public List<Rmrr> rmrrs() {
    return of(Rmrr.class);
  }

  public List<Atsr> atsrs() {
    return of(Atsr.class);
  }

  public List<Rhsa> rhsas() {
    return of(Rhsa.class);
  }

  public List<Andd> andds() {
    return of(Andd.class);
  }

  public List<Satc> satcs() {
    return of(Satc.class);
  }

  public List<Sidp> sidps() {
    return of(Sidp.class);
  }

  private <S extends DmarStructure> List<S> of(Class<S> type) {
    return structures.stream().filter(type::isInstance).map(type::cast).toList();
  }

  /** The table's bytes, with length and checksum; reserved bytes are zero. */
  public byte[] encode() {
    return DmarEncoder.encode(this);
  }
}
