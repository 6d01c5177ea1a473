package io.hypercalld.iommu.acpi;

/** One remapping structure of the table. */
public sealed interface DmarStructure permits Drhd, Rmrr, Atsr, Rhsa, Andd, Satc, Sidp {
  /** The value of the structure's type member; structures come in ascending order of it. */
  default int type() {
    return switch (this) {
      case Drhd _ -> 0;
      case Rmrr _ -> 1;
      case Atsr _ -> 2;
      case Rhsa _ -> 3;
      case Andd _ -> 4;
      case Satc _ -> 5;
      case Sidp _ -> 6;
    };
  }
}
