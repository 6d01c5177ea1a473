package io.hypercalld.api.metrics;

import io.hypercalld.api.metrics.UnitSample.CacheSample;
import io.hypercalld.api.metrics.UnitSample.DomainIdSample;
import io.hypercalld.iommu.driver.UnitDriver;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.unit.UnitCounters;
import io.hypercalld.iommu.vtd.FaultStatus;
import io.hypercalld.iommu.vtd.QueueError;
import io.hypercalld.iommu.vtd.Register;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Takes samples of one unit. Confined to the machine thread. */
final class UnitWatch {
  private static final QueueError[] QUEUE_ERRORS = QueueError.values();

  private final RemappingUnit unit;
  private final UnitDriver driver;
  private final Census<Fill> fill;
  private int domainIdsUsed;
  private @Nullable UnitSample last;
  private @Nullable Version lastVersion;

  /** What the caches hold. */
  private record Fill(int iotlb, int contexts) {}

  UnitWatch(RemappingUnit unit, UnitDriver driver, LongSupplier clock) {
    this.unit = unit;
    this.driver = driver;
    this.fill = new Census<>(activity(unit.counters()), () -> fill(unit), clock);
    domainIdsMayHaveChanged();
  }

  private static Fill fill(RemappingUnit unit) {
    return new Fill(unit.iotlb().size(), unit.contextCache().size());
  }

  /** Domain-ids come and go with hypercalls only. */
  void domainIdsMayHaveChanged() {
    domainIdsUsed = driver.domainIds().used();
  }

  /** Looks at what takes long to find; whether all of it is current. */
  boolean update() {
    return fill.update(activity(unit.counters()));
  }

  /** Never the same again once a cache has been filled or told to forget. */
  private static long activity(UnitCounters counters) {
    return counters.iotlbMisses() + counters.contextMisses() + InvalidationCount.sum(counters);
  }

  /** A sample; the same one as before where nothing has changed. */
  UnitSample sample(int contextEntries) {
    Version now = version(contextEntries);
    UnitSample known = last;
    if (known == null || !now.equals(lastVersion)) {
      known = sampleAnew(contextEntries);
      last = known;
      lastVersion = now;
    }
    return known;
  }

  /** What is another one whenever a sample would be. */
  private record Version(
      long counted,
      long invalidated,
      int recordsPending,
      int contextEntries,
      int domainIdsUsed,
      Fill fill) {}

  private Version version(int contextEntries) {
    UnitCounters counters = unit.counters();
    long faults = counters.faultsRecorded() + counters.faultsSuppressed() + counters.faultsLost();
    long requests = counters.iotlbHits() + counters.contextHits() + counters.untranslated();
    return new Version(
        faults + requests + driver.domainIds().failures(),
        InvalidationCount.sum(counters) + queueErrors(counters),
        faultRecordsPending(),
        contextEntries,
        domainIdsUsed,
        fill.figure());
  }

  private UnitSample sampleAnew(int contextEntries) {
    UnitCounters counters = unit.counters();
    return new UnitSample(
        driver.index(),
        new DomainIdSample(
            domainIdsUsed, driver.domainIds().capacity(), driver.domainIds().failures()),
        contextEntries,
        new CacheSample(counters.iotlbHits(), counters.iotlbMisses(), fill.figure().iotlb),
        new CacheSample(counters.contextHits(), counters.contextMisses(), fill.figure().contexts),
        counters.untranslated(),
        counters.faults(),
        counters.readFaults(),
        counters.faultOverflows(),
        faultRecordsPending(),
        InvalidationCount.of(counters),
        queueErrors(counters));
  }

  private int faultRecordsPending() {
    boolean any = FaultStatus.PPF.isSet(unit.read32(Register.FSTS.offset()));
    return any ? unit.faults().size() : 0;
  }

  private static long queueErrors(UnitCounters counters) {
    long errors = 0;
    for (QueueError error : QUEUE_ERRORS) {
      errors += counters.queueErrors(error);
    }
    return errors;
  }
}
