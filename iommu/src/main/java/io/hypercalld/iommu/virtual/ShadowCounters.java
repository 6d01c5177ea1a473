package io.hypercalld.iommu.virtual;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.vtd.FaultReason;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/** What shadows have cost, and what went wrong with them. Confined to the machine thread. */
public final class ShadowCounters implements Digestible {
  private final Domain domain;
  private final Map<SyncTrigger, Long> syncs = new EnumMap<>(SyncTrigger.class);
  private final Map<FaultReason, Long> guestFaults = new EnumMap<>(FaultReason.class);
  private long entryReads;
  private long hostFaults;
  private long missingInvalidations;
  private long refusals;
  private Optional<String> lastRefusal = Optional.empty();
  private Optional<String> lastHostFault = Optional.empty();

  ShadowCounters(Domain domain) {
    this.domain = domain;
  }

  void count(SyncTrigger trigger, long entries) {
    syncs.merge(trigger, 1L, Long::sum);
    entryReads += entries;
    domain
        .notices()
        .tell(ViommuNotice.SHADOW_SYNCED, new ViommuNotice.Synced(domain.id(), trigger));
  }

  void count(FaultReason reason, Sbdf sbdf, long iova) {
    guestFaults.merge(reason, 1L, Long::sum);
    domain
        .notices()
        .tell(ViommuNotice.FAULT, ViommuNotice.Fault.of(domain.id(), sbdf, iova, reason));
  }

  void hostFault(String why) {
    hostFaults++;
    lastHostFault = Optional.of(why);
  }

  void missingInvalidation(Sbdf sbdf, long iova) {
    missingInvalidations++;
    domain
        .notices()
        .tell(
            ViommuNotice.MISSING_INVALIDATION,
            new ViommuNotice.Missing(domain.id(), sbdf, new Word(iova)));
  }

  void refused(String why) {
    refusals++;
    lastRefusal = Optional.of(why);
  }

  /** How often shadows were brought into step, by what made it necessary. */
  public Map<SyncTrigger, Long> syncs() {
    return Collections.unmodifiableMap(syncs);
  }

  /** Entries of the guest's tables that were read for it. */
  public long entryReads() {
    return entryReads;
  }

  /** Faults of physical devices that were the guest's and went to the guest. */
  public Map<FaultReason, Long> guestFaults() {
    return Collections.unmodifiableMap(guestFaults);
  }

  /** Faults of physical devices where the guest's own tables let the request pass. */
  public long hostFaults() {
    return hostFaults;
  }

  /** What the last of them came from. */
  public Optional<String> lastHostFault() {
    return lastHostFault;
  }

  /** Requests that met what the guest had changed and not had forgotten. */
  public long missingInvalidations() {
    return missingInvalidations;
  }

  /** Devices that could not be switched. */
  public long refusals() {
    return refusals;
  }

  /** Why the last of them could not. */
  public Optional<String> lastRefusal() {
    return lastRefusal;
  }

  /** Counters are for people: no command depends on them. */
  @Override
  public void digest(StateDigest digest) {
    digest.put(refusals);
  }
}
