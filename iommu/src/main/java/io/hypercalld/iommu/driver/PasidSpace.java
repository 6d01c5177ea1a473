package io.hypercalld.iommu.driver;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.iommu.vtd.PasidEntry;

/** Where the requests of one of a device's PASIDs go. */
public sealed interface PasidSpace {
  /** Through the table of the device's owner: their addresses are the guest's physical ones. */
  record Own() implements PasidSpace {}

  /** Through a table of its own. */
  record Through(IoContext context) implements PasidSpace {}

  /**
   * Through a guest's first-level tables first.
   *
   * @param guest the guest's entry, of which the first-level side counts
   */
  record Nested(NestedContext context, PasidEntry guest) implements PasidSpace {}

  /** Whose domain-ids tag what units remember of it. */
  default DomainId tag(DomainId owner) {
    return switch (this) {
      case Own _ -> owner;
      case Through(IoContext context) -> context.tag();
      case Nested(NestedContext context, PasidEntry _) -> context.tag();
    };
  }
}
