package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.InvalidationGranularity;
import io.hypercalld.iommu.vtd.QueueError;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a unit has done since power-on or since the last {@link #reset}. Confined to the machine
 * thread.
 *
 * <p>Nothing the unit does depends on these numbers, so they are not part of its digest.
 */
public final class UnitCounters {
  private static final int GRANULARITIES = InvalidationGranularity.values().length;
  private static final int QUEUE_ERRORS = QueueError.values().length + 1;

  long iotlbHits;
  long iotlbMisses;
  long contextHits;
  long contextMisses;
  long pasidHits;
  long pasidMisses;
  long entryReads;
  long untranslated;
  long faultsRecorded;
  long faultsSuppressed;
  long faultsLost;
  long faultOverflows;
  long protectedBlocks;
  long waits;
  long interruptEntryHits;
  long interruptEntryMisses;
  long interruptsDelivered;
  long interruptsPosted;
  long interruptNotifications;
  long interruptInvalidations;
  long eventMessages;
  long deviceTlbInvalidations;
  long pageRequests;
  long pageResponses;
  private final long[] contextInvalidations = new long[GRANULARITIES];
  private final long[] iotlbInvalidations = new long[GRANULARITIES];
  private final long[] pasidInvalidations = new long[GRANULARITIES];
  private final long[] pasidIotlbInvalidations = new long[GRANULARITIES];
  private final long[] queueErrors = new long[QUEUE_ERRORS];
  private final TreeMap<FaultReason, Long> faults = new TreeMap<>();
  private final TreeMap<FaultReason, Long> readFaults = new TreeMap<>();

  /** Requests that the IOTLB answered. */
  public long iotlbHits() {
    return iotlbHits;
  }

  /** Requests that needed a walk, whether or not it came to a page. */
  public long iotlbMisses() {
    return iotlbMisses;
  }

  public long contextHits() {
    return contextHits;
  }

  public long contextMisses() {
    return contextMisses;
  }

  /** Requests whose PASID entry the PASID cache knew. */
  public long pasidHits() {
    return pasidHits;
  }

  public long pasidMisses() {
    return pasidMisses;
  }

  /** Root, context, PASID and paging entries read from memory. */
  public long entryReads() {
    return entryReads;
  }

  /** Requests that passed while translation was off. */
  public long untranslated() {
    return untranslated;
  }

  /** Faults that got a record. */
  public long faultsRecorded() {
    return faultsRecorded;
  }

  /** Faults that FPD kept out of the log. */
  public long faultsSuppressed() {
    return faultsSuppressed;
  }

  /** Faults that found no free record, the one that set PFO included. */
  public long faultsLost() {
    return faultsLost;
  }

  /** Times that PFO was set. */
  public long faultOverflows() {
    return faultOverflows;
  }

  /** Requests that a protected memory region blocked. */
  public long protectedBlocks() {
    return protectedBlocks;
  }

  /** Wait descriptors completed. */
  public long waits() {
    return waits;
  }

  /** Interrupt requests that the interrupt-entry cache answered. */
  public long interruptEntryHits() {
    return interruptEntryHits;
  }

  /** Interrupt requests whose entry was read from memory. */
  public long interruptEntryMisses() {
    return interruptEntryMisses;
  }

  /** Interrupt requests that went to processors, remapped or not. */
  public long interruptsDelivered() {
    return interruptsDelivered;
  }

  /** Interrupt requests posted to a descriptor. */
  public long interruptsPosted() {
    return interruptsPosted;
  }

  /** Posted interrupts that a processor was notified of. */
  public long interruptNotifications() {
    return interruptNotifications;
  }

  /** Messages that the unit sent of its own: fault, completion and page request events. */
  public long eventMessages() {
    return eventMessages;
  }

  /** Device-TLB invalidations that devices have carried out. */
  public long deviceTlbInvalidations() {
    return deviceTlbInvalidations;
  }

  /** Page requests put into the page request queue. */
  public long pageRequests() {
    return pageRequests;
  }

  /** Page group responses sent to devices, software's and the unit's own. */
  public long pageResponses() {
    return pageResponses;
  }

  /** Interrupt-entry-cache invalidations carried out. */
  public long interruptInvalidations() {
    return interruptInvalidations;
  }

  /** Context-cache invalidations carried out, through the queue or the registers. */
  public long contextInvalidations(InvalidationGranularity granularity) {
    return contextInvalidations[granularity.encoding()];
  }

  /** IOTLB invalidations carried out, through the queue or the registers. */
  public long iotlbInvalidations(InvalidationGranularity granularity) {
    return iotlbInvalidations[granularity.encoding()];
  }

  /** PASID-cache invalidations carried out. */
  public long pasidInvalidations(InvalidationGranularity granularity) {
    return pasidInvalidations[granularity.encoding()];
  }

  /** PASID-based IOTLB invalidations carried out; of granularity domain are those of a PASID. */
  public long pasidIotlbInvalidations(InvalidationGranularity granularity) {
    return pasidIotlbInvalidations[granularity.encoding()];
  }

  /** Times that the invalidation queue stopped for this reason. */
  public long queueErrors(QueueError error) {
    return queueErrors[error.code()];
  }

  /** Blocked requests by reason, recorded or not; only reasons that occurred. */
  public Map<FaultReason, Long> faults() {
    return new TreeMap<>(faults);
  }

  /** Those of {@link #faults} that were to read memory; only reasons that occurred. */
  public Map<FaultReason, Long> readFaults() {
    return new TreeMap<>(readFaults);
  }

  /** Sets every counter to zero. */
  public void reset() {
    iotlbHits = 0;
    iotlbMisses = 0;
    contextHits = 0;
    contextMisses = 0;
    pasidHits = 0;
    pasidMisses = 0;
    entryReads = 0;
    untranslated = 0;
    faultsRecorded = 0;
    faultsSuppressed = 0;
    faultsLost = 0;
    faultOverflows = 0;
    protectedBlocks = 0;
    waits = 0;
    interruptEntryHits = 0;
    interruptEntryMisses = 0;
    interruptsDelivered = 0;
    interruptsPosted = 0;
    interruptNotifications = 0;
    interruptInvalidations = 0;
    eventMessages = 0;
    deviceTlbInvalidations = 0;
    pageRequests = 0;
    pageResponses = 0;
    Arrays.fill(contextInvalidations, 0);
    Arrays.fill(iotlbInvalidations, 0);
    Arrays.fill(pasidInvalidations, 0);
    Arrays.fill(pasidIotlbInvalidations, 0);
    Arrays.fill(queueErrors, 0);
    faults.clear();
    readFaults.clear();
  }

  void countFault(FaultReason reason) {
    faults.merge(reason, 1L, Long::sum);
  }

  void countFault(FaultReason reason, DmaAccess access) {
    countFault(reason);
    if (access.type() == DmaAccess.RequestType.READ) {
      readFaults.merge(reason, 1L, Long::sum);
    }
  }

  void countContextInvalidation(InvalidationGranularity granularity) {
    contextInvalidations[granularity.encoding()]++;
  }

  void countIotlbInvalidation(InvalidationGranularity granularity) {
    iotlbInvalidations[granularity.encoding()]++;
  }

  void countPasidInvalidation(InvalidationGranularity granularity) {
    pasidInvalidations[granularity.encoding()]++;
  }

  void countPasidIotlbInvalidation(InvalidationGranularity granularity) {
    pasidIotlbInvalidations[granularity.encoding()]++;
  }

  void countQueueError(QueueError error) {
    queueErrors[error.code()]++;
  }
}
