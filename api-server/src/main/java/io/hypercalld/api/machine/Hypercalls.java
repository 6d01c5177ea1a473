package io.hypercalld.api.machine;

import io.hypercalld.api.hypercall.DeviceModelTable;
import io.hypercalld.api.hypercall.DomctlTable;
import io.hypercalld.api.hypercall.EventTable;
import io.hypercalld.api.hypercall.FeatureTables;
import io.hypercalld.api.hypercall.GrantTableRows;
import io.hypercalld.api.hypercall.HypercallCatalogue;
import io.hypercalld.api.hypercall.InterruptTable;
import io.hypercalld.api.hypercall.IommuTable;
import io.hypercalld.api.hypercall.MemoryTable;
import io.hypercalld.api.hypercall.Operation;
import io.hypercalld.api.hypercall.OtherTables;
import io.hypercalld.api.hypercall.PageTableRows;
import io.hypercalld.api.hypercall.ViommuTable;
import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.Dom0VpCalls;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.iommu.driver.VtdDriver;
import io.hypercalld.iommu.hypercall.DeviceCalls;
import io.hypercalld.iommu.hypercall.InterruptCalls;
import io.hypercalld.iommu.virtual.ViommuCalls;
import io.hypercalld.ioreq.DeviceModels;
import io.hypercalld.ioreq.dispatch.GuestCpus;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * Makes hypercalls: finds who executes them, counts and times them, and keeps those that were
 * preempted. Confined to the machine thread.
 */
public final class Hypercalls {
  private final Hypervisor hypervisor;
  private final VtdDriver driver;
  private final Revision revision;
  private final DeviceCalls deviceCalls;
  private final HypercallCatalogue catalogue;
  private final CallMeter meter;
  private final GuestCpus cpus;
  private final Journal journal;
  private final FaultRules faultRules;
  private final PendingCalls pending = new PendingCalls();

  Hypercalls(Assembly parts, Revision revision, Journal journal, FaultRules faultRules) {
    this.hypervisor = parts.hypervisor();
    this.driver = parts.driver();
    this.revision = revision;
    this.journal = journal;
    this.faultRules = faultRules;
    this.deviceCalls = new DeviceCalls(hypervisor, parts.driver(), parts.topology());
    this.catalogue =
        catalogue(
            hypervisor,
            deviceCalls,
            parts.deviceModels(),
            new InterruptCalls(hypervisor.domains(), parts.interrupts()),
            new ViommuCalls(hypervisor.domains(), parts.virtualIommus()));
    this.meter = new CallMeter(catalogue);
    this.cpus = parts.deviceModels().cpus();
  }

  private static HypercallCatalogue catalogue(
      Hypervisor hypervisor,
      DeviceCalls devices,
      DeviceModels models,
      InterruptCalls interrupts,
      ViommuCalls virtualIommus) {
    var tables = new ArrayList<List<Operation<?>>>();
    tables.add(DomctlTable.of(hypervisor, devices));
    tables.add(MemoryTable.of(hypervisor.memoryCalls()));
    tables.add(FeatureTables.memory(hypervisor.featureCalls()));
    tables.add(FeatureTables.domctl(hypervisor.featureCalls()));
    tables.add(FeatureTables.hvm(hypervisor.featureCalls()));
    tables.add(GrantTableRows.of(hypervisor.grantCalls()));
    tables.add(EventTable.of(hypervisor.eventCalls()));
    tables.add(PageTableRows.of(hypervisor.pinCalls()));
    tables.add(OtherTables.physdev(devices));
    tables.add(InterruptTable.domctl(interrupts));
    tables.add(InterruptTable.physdev(interrupts));
    tables.add(InterruptTable.deviceModel(interrupts));
    tables.add(ViommuTable.domctl(virtualIommus));
    tables.add(IommuTable.of(hypervisor.domains(), hypervisor.continuations()));
    tables.add(DeviceModelTable.of(hypervisor.controlCalls(), models));
    tables.add(OtherTables.dom0vp(new Dom0VpCalls(hypervisor.domains(), hypervisor.frames())));
    return new HypercallCatalogue(tables);
  }

  /** How far a hypercall came. */
  public sealed interface Progress {}

  /** It ended. */
  public record Ended(Outcome outcome) implements Progress {}

  /** It was preempted and goes on with {@link Hypercalls#resume}. */
  public record Stopped(PendingCalls.Pending call) implements Progress {}

  /** Makes a hypercall on behalf of a domain, however many steps it takes. */
  public Outcome call(DomainId caller, Hypercall arguments) {
    countTrap(caller);
    return perform(caller, arguments);
  }

  /**
   * {@code multicall}: makes hypercalls in order on behalf of a domain, for which it is left once.
   *
   * @param stopOnError whether the first that is refused is the last
   */
  public List<Outcome> callAll(
      DomainId caller, List<? extends Hypercall> calls, boolean stopOnError) {
    countTrap(caller);
    List<Outcome> outcomes = new ArrayList<>(calls.size());
    boolean stopped = false;
    for (int i = 0; i < calls.size() && !stopped; i++) {
      Outcome outcome = perform(caller, calls.get(i));
      outcomes.add(outcome);
      stopped = stopOnError && outcome instanceof Outcome.Refused;
    }
    return outcomes;
  }

  private void countTrap(DomainId caller) {
    hypervisor.calls().countTrap();
    hypervisor.domains().find(caller).ifPresent(domain -> domain.calls().countTrap());
  }

  private Outcome perform(DomainId caller, Hypercall arguments) {
    journal.begin(new Journal.Called(caller, arguments, true));
    try {
      Outcome outcome = begin(caller, arguments);
      while (outcome instanceof Outcome.Preempted stopped) {
        outcome = proceed(caller, stopped);
      }
      return outcome;
    } finally {
      journal.end();
    }
  }

  /** Makes a hypercall on behalf of a domain, as far as it comes before it is preempted. */
  public Progress start(DomainId caller, Hypercall arguments) {
    countTrap(caller);
    journal.begin(new Journal.Called(caller, arguments, false));
    try {
      Outcome outcome = begin(caller, arguments);
      return outcome instanceof Outcome.Preempted stopped
          ? new Stopped(pending.add(caller, stopped))
          : new Ended(outcome);
    } finally {
      journal.end();
    }
  }

  /**
   * Lets a preempted hypercall go on, as far as it comes.
   *
   * @throws Refusal ENOENT no call of that number is pending
   */
  public Progress resume(long number) {
    PendingCalls.Pending call = pending.get(number);
    journal.begin(new Journal.Resumed(number));
    try {
      return resume(call);
    } finally {
      journal.end();
    }
  }

  private Progress resume(PendingCalls.Pending call) {
    Outcome outcome = proceed(call.caller(), call.stopped());
    if (outcome instanceof Outcome.Preempted stopped) {
      pending.replace(call, stopped);
      return new Stopped(pending.get(call.number()));
    }
    pending.remove(call);
    return new Ended(outcome);
  }

  private Outcome begin(DomainId caller, Hypercall arguments) {
    Operation<?> operation = catalogue.of(arguments);
    hypervisor.domains().find(caller).ifPresent(domain -> domain.calls().countHypercall());
    return measured(arguments, () -> execute(operation, caller, arguments));
  }

  private Outcome proceed(DomainId caller, Outcome.Preempted stopped) {
    Operation<?> operation = catalogue.of(stopped.rest());
    return timed(operation, () -> execute(operation, caller, stopped.rest())).after(stopped);
  }

  private Outcome execute(Operation<?> operation, DomainId caller, Hypercall arguments) {
    cpus.enterHypercall(caller);
    Outcome outcome = operation.execute(caller, arguments);
    if (!(outcome instanceof Outcome.Preempted)) {
      cpus.leaveHypercall();
    }
    return outcome;
  }

  /** Counts and times what is done in the name of an operation. */
  Outcome measured(Hypercall arguments, Supplier<Outcome> execution) {
    Operation<?> operation = catalogue.of(arguments);
    hypervisor.calls().countHypercall();
    return timed(operation, () -> faultRules.call(operation, arguments, execution));
  }

  private Outcome timed(Operation<?> operation, Supplier<Outcome> execution) {
    revision.changed();
    long continued = hypervisor.calls().continuations();
    long began = System.nanoTime();
    Outcome outcome = driver.asOneCall(execution);
    meter.count(
        operation,
        outcome,
        System.nanoTime() - began,
        hypervisor.calls().continuations() - continued);
    if (operation.movesDevices()) {
      revision.devicesMoved();
    }
    return outcome;
  }

  /** What is made of each hypercall. */
  public HypercallCatalogue catalogue() {
    return catalogue;
  }

  /** The calls that give and take devices. */
  public DeviceCalls deviceCalls() {
    return deviceCalls;
  }

  /** Hypercalls that were preempted. */
  public PendingCalls pending() {
    return pending;
  }

  /** Hypercalls made, by operation and result. */
  public CallMeter meter() {
    return meter;
  }
}
