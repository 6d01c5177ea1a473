package io.hypercalld.api.metrics;

import io.hypercalld.api.machine.CallMeter;
import io.hypercalld.api.machine.SyncMeter;
import io.hypercalld.core.guest.FaultCounts;
import io.hypercalld.core.p2m.P2mUpdates;
import java.util.List;
import java.util.Map;

/**
 * Everything that is told of a machine, at one moment between two commands. Immutable.
 *
 * @param totalBytes RAM that firmware does not keep
 * @param domains by id
 * @param devices by address
 * @param units by index
 * @param syncs how long shadows took to be brought into step
 * @param p2mUpdates changes of all P2Ms, those gone included; a sum of its own, not written any
 *     more
 * @param faults accesses of guests that did not get through at once
 * @param strays frames that devices reached and that were none of their domains', by direction
 * @param violations found by checks since the start, by invariant
 * @param complete whether every figure is current; one that takes long to find may be a little old
 */
public record MetricsSnapshot(
    long totalBytes,
    long freeBytes,
    long domainsCreated,
    long domainsDestroyed,
    List<DomainSample> domains,
    List<DeviceSample> devices,
    List<UnitSample> units,
    List<CallMeter.Sample> calls,
    List<SyncMeter.Sample> syncs,
    P2mUpdates p2mUpdates,
    List<FaultCounts.Sample> faults,
    Map<String, Long> strays,
    Map<String, Long> violations,
    boolean complete) {}
