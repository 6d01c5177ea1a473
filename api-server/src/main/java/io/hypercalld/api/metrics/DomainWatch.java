package io.hypercalld.api.metrics;

import io.hypercalld.api.metrics.DomainSample.Iommu;
import io.hypercalld.api.metrics.DomainSample.Physmap;
import io.hypercalld.api.metrics.DomainSample.State;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.iommu.driver.DeviceTable;
import io.hypercalld.iommu.driver.DomainIommu;
import io.hypercalld.iommu.driver.TableCounters;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** Takes samples of one domain. Confined to the machine thread. */
final class DomainWatch {
  private final Domain domain;
  private final Optional<P2mTable> p2m;
  private final Optional<DomainIommu> iommu;
  private Optional<Physmap> physmap = Optional.empty();
  private Optional<Iommu> tables = Optional.empty();
  private int devices;
  private long revisionSeen = -1;
  private @Nullable DomainSample last;

  DomainWatch(Domain domain) {
    this.domain = domain;
    this.p2m = domain.findP2m();
    this.iommu = domain.findFacet(DomainIommu.class);
  }

  /** Devices come and go with few of the hypercalls only. */
  void devicesMayHaveMoved(DeviceTable table) {
    devices = table.ownedBy(domain.id()).size();
  }

  /** A sample; the same one as before where nothing has changed. */
  DomainSample sample() {
    lookAtPhysmap();
    lookAtTables();
    DomainSample known = last;
    State state = State.of(domain);
    Optional<ModelSample> models = ModelSample.of(domain);
    Optional<ViommuSample> viommu = ViommuSample.of(domain);
    long bytes = DomainSample.bytes(domain.reservation().totalPages());
    if (known != null
        && known.state() == state
        && known.memoryBytes() == bytes
        && known.devices() == devices
        && known.p2m().equals(physmap)
        && known.iommu().equals(tables)
        && known.models().equals(models)
        && known.viommu().equals(viommu)) {
      return known;
    }
    known =
        new DomainSample(
            domain.id().value(), state, bytes, devices, physmap, tables, models, viommu);
    last = known;
    return known;
  }

  /** Replaces what is known of the P2M only where it is another now. */
  private void lookAtPhysmap() {
    if (p2m.isEmpty() || p2m.get().revision() == revisionSeen) {
      return;
    }
    P2mTable table = p2m.get();
    revisionSeen = table.revision();
    Physmap now = new Physmap(table.tableBytes() / PageSize.BYTES_4K, LeafCounts.of(table));
    if (!physmap.equals(Optional.of(now))) {
      physmap = Optional.of(now);
    }
  }

  /** As {@link #lookAtPhysmap}, for the tables of devices. */
  private void lookAtTables() {
    if (iommu.isEmpty()) {
      return;
    }
    Optional<TableCounters> own = iommu.get().tableCounters();
    OptionalLong pages =
        own.isPresent() ? OptionalLong.of(own.get().tables()) : OptionalLong.empty();
    if (tables.isEmpty() || !tables.get().tables().equals(pages)) {
      tables = Optional.of(new Iommu(pages));
    }
  }
}
