package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;

/**
 * The private table of a device that reaches something even in quarantine. Immutable; the table in
 * memory is not.
 */
sealed interface QuarantineTable extends Digestible {
  /** The device's pseudo domain id, which owns a domain-id of the device's unit. */
  DomainId tag();

  /** What a context entry points at. */
  AddressSpace addressSpace();

  /** Removes what the device wrote the last time. */
  void clean();

  /** Frees the table: when no context entry points at it, and no unit remembers it. */
  void destroy();

  /** It reaches its reserved regions. */
  record ReservedOnly(DomainId tag, DmaTable table) implements QuarantineTable {
    @Override
    public AddressSpace addressSpace() {
      return new AddressSpace(tag, table.levels(), table::rootFor);
    }

    @Override
    public void clean() {}

    @Override
    public void destroy() {
      table.destroy();
    }

    @Override
    public void digest(StateDigest digest) {
      digest.put(tag.value()).put(table);
    }
  }

  /** It reaches its reserved regions, and everywhere else one page. */
  record Scratch(DomainId tag, ScratchTable table) implements QuarantineTable {
    @Override
    public AddressSpace addressSpace() {
      return new AddressSpace(tag, table.levels(), _ -> table.root());
    }

    @Override
    public void clean() {
      table.clean();
    }

    @Override
    public void destroy() {
      table.destroy();
    }

    @Override
    public void digest(StateDigest digest) {
      digest.put(tag.value()).put(table);
    }
  }
}
