package io.hypercalld.iommu.unit;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.memory.PhysicalMemory;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.BitKinds;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.InterruptEntry;
import io.hypercalld.iommu.vtd.Mmio;
import io.hypercalld.iommu.vtd.PageRequest;
import io.hypercalld.iommu.vtd.PasidPrefix;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.RemappableMessage;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One DMA-remapping unit: its register window for software, its translation for devices' requests,
 * and its insides for whoever wants to see them. Confined to the machine thread.
 *
 * <p>Software reaches it by {@link Mmio} and by machine memory; a device's request by {@link
 * #translate}. Nothing else changes it.
 *
 * @see "VT-d §2.5, §11"
 */
public final class RemappingUnit implements Mmio, Digestible {
  private final UnitSettings settings;
  private final Circuit circuit;
  private final RegisterFile registers;
  private final FaultLog log;
  private final ProtectedMemory protectedMemory;
  private final TranslationCaches caches;
  private final DmaRemapper remapper;
  private final InterruptRemapper interrupts;
  private final Endpoints endpoints = new Endpoints();
  private final InvalidationQueue queue;
  private final PageRequestQueue pageRequests;
  private final Explainer explainer;
  private final InterruptExplainer interruptExplainer;
  private final CommandRegister commands;

  /**
   * A unit after power-on.
   *
   * @param sink where the unit's own fault and completion messages go
   */
  public RemappingUnit(UnitSettings settings, PhysicalMemory memory, MessageSink sink) {
    this(settings, memory, sink, UnitObserver.NONE);
  }

  /**
   * The same under somebody's eyes.
   *
   * @param observer hears of what software does that may change where requests go
   */
  public RemappingUnit(
      UnitSettings settings, PhysicalMemory memory, MessageSink sink, UnitObserver observer) {
    this.settings = settings;
    this.circuit = Circuit.of(settings, memory, observer);
    this.registers = circuit.registers();
    this.log = new FaultLog(circuit, EventLine.faults(circuit, sink));
    this.protectedMemory = new ProtectedMemory(circuit);
    this.caches = new TranslationCaches(circuit);
    RequestEnd end = new RequestEnd(circuit, log, protectedMemory);
    this.remapper = new DmaRemapper(circuit, caches, end);
    this.interrupts = new InterruptRemapper(circuit, log, sink);
    this.queue =
        new InvalidationQueue(
            circuit,
            new InvalidationCommands(circuit, caches, interrupts.cache(), endpoints),
            log,
            EventLine.completions(circuit, sink));
    this.pageRequests =
        new PageRequestQueue(
            circuit, new PageRequestJudge(remapper, caches.contexts()), end, endpoints, sink);
    this.explainer = new Explainer(circuit, caches, remapper, end);
    this.interruptExplainer = new InterruptExplainer(circuit, interrupts, log);
    this.commands = new CommandRegister(circuit, remapper, caches, queue, interrupts);
    declareRegisters();
  }

  private void declareRegisters() {
    constant(Register.VER, settings.version().value());
    constant(Register.CAP, capabilities().cap());
    constant(Register.ECAP, capabilities().ecap());
    commands.attach();
    if (settings.invalidatesByRegisters()) {
      new RegisterInvalidation(circuit, caches, queue).attach();
    }
    registers.onWrite(
        Register.FSTS,
        _ -> {
          log.statusWritten();
          queue.faultStatusWritten();
        });
  }

  private void constant(Register register, long value) {
    registers.declare(register, new BitKinds(0, 0, 0, 0, value));
  }

  public UnitSettings settings() {
    return settings;
  }

  public Capabilities capabilities() {
    return settings.capabilities();
  }

  public UnitCounters counters() {
    return circuit.counters();
  }

  /** What goes wrong in it on purpose. */
  public Malfunctions malfunctions() {
    return circuit.malfunctions();
  }

  /** Devices' writes that have yet to land. */
  public PostedWrites postedWrites() {
    return circuit.postedWrites();
  }

  /** Whether requests are translated: GSTS.TES. */
  public boolean isEnabled() {
    return remapper.isEnabled();
  }

  /**
   * What becomes of one request that lies in one 4 KiB page.
   *
   * @param requester whose request it is; the topology sees to it that it is one of this unit's
   * @param out takes the answer; the caller's, and the same one may serve every time
   */
  public void translate(SourceId requester, long iova, DmaAccess access, Translation out) {
    remapper.translate(requester, iova, access, out);
  }

  /**
   * What becomes of one request that lies in one 4 KiB page and may carry a PASID.
   *
   * @param prefix the device's address space; one object serves all of its requests
   */
  public void translate(
      SourceId requester, PasidPrefix prefix, long iova, DmaAccess access, Translation out) {
    remapper.translate(requester, prefix, iova, access, out);
  }

  /**
   * Where the tables, as they are in memory now, send a requester's requests while translation is
   * on; remembers nothing, and heeds nothing that is remembered. In scalable mode {@link #pasidsOf}
   * says that.
   */
  public RequesterSpace spaceOf(SourceId requester) {
    return remapper.tables().spaceOf(requester);
  }

  /** Whether requests are translated through scalable mode's tables, while they are. */
  public boolean isScalable() {
    return remapper.isScalable();
  }

  /** As {@link #spaceOf}, in scalable mode. */
  public RequesterPasids pasidsOf(SourceId requester) {
    ScalableRemapper scalable = remapper.scalable();
    return new PasidReader(scalable.tables(), scalable.rules()).read(requester);
  }

  /**
   * Carries out an interrupt request: it reaches a processor, a descriptor or the fault log.
   *
   * @param requester whose request it is; the topology sees to it that it is one of this unit's
   * @param prefix of the message; one with a PASID is none that can be remapped
   * @param message {@code 0xfee.....} in the low half of its address
   */
  public InterruptOutcome interrupt(
      SourceId requester, PasidPrefix prefix, RemappableMessage message) {
    return interrupts.request(requester, prefix, message);
  }

  /** The same for a message without PASID, by its address and data. */
  public InterruptOutcome interrupt(SourceId requester, long address, int data) {
    return interrupt(requester, PasidPrefix.NONE, new RemappableMessage(address, data));
  }

  /**
   * A device asks software for a page (PRI).
   *
   * @return whether the request is in the page request queue; where not, and the device waits, the
   *     unit has answered it
   */
  public boolean requestPage(PageRequest request) {
    return capabilities().pageRequests() && pageRequests.request(request);
  }

  /**
   * What {@link #translate} would answer, and why; fills no cache, records no fault, and counts
   * nothing.
   */
  public Explanation explain(SourceId requester, long iova, DmaAccess access) {
    return explain(MemoryRequest.of(requester, iova, access));
  }

  /** The same for a request that may carry a PASID. */
  public Explanation explain(MemoryRequest request) {
    return explainer.explain(request);
  }

  /** An entry of the interrupt-remapping table as it is in memory; empty where there is none. */
  public Optional<InterruptEntry> interruptEntry(int index) {
    return interrupts.entryInMemory(index);
  }

  /** What {@link #interrupt} would answer, but that nothing is notified; changes nothing. */
  public InterruptOutcome foreseeInterrupt(SourceId requester, RemappableMessage message) {
    return interrupts.foresee(requester, message);
  }

  /** What {@link #interrupt} would answer, and why; changes nothing. */
  public InterruptExplanation explainInterrupt(SourceId requester, long address, int data) {
    return interruptExplainer.explain(requester, new RemappableMessage(address, data));
  }

  @Override
  public int read32(int offset) {
    return registers.read32(offset);
  }

  @Override
  public void write32(int offset, int value) {
    registers.write32(offset, value);
  }

  @Override
  public long read64(int offset) {
    return registers.read64(offset);
  }

  @Override
  public void write64(int offset, long value) {
    registers.write64(offset, value);
  }

  /** Power goes off and on: nothing is left of what was. */
  public void powerOn() {
    reset();
    registers.powerOn();
    log.powerOn();
    endpoints.powerOn();
    postedWrites().powerOn();
  }

  /** A reset without loss of power: the fault log's sticky bits stay, everything else goes. */
  public void reset() {
    postedWrites().drain();
    registers.reset();
    caches.clear();
    remapper.enable(false);
    remapper.setRoot(0);
    queue.reset();
    interrupts.reset();
    protectedMemory.reset();
  }

  /** What of it outlives its machine: the first bytes of its window, and what goes with them. */
  public UnitState save(int windowBytes) {
    return new UnitState(
        interrupts.table(), log.next(), registers.words(windowBytes / Integer.BYTES));
  }

  /**
   * Goes on where a unit like this one was saved. RTADDR and IQA are taken as what the saved unit
   * had latched of them.
   *
   * @param state of a unit of the same capabilities
   */
  public void load(UnitState state) {
    powerOn();
    circuit.observer().commanded();
    registers.setWords(state);
    log.continueWith(state.nextFault());
    commands.goOn(state.interruptTable());
  }

  /** Every implemented register as software reads it, by ascending offset. */
  public List<RegisterReading> registers() {
    return registers.readings();
  }

  /** The translations that the IOTLB holds. */
  public List<CachedTranslation> iotlb() {
    return caches.translations();
  }

  /** The entries that the context cache holds. */
  public List<CachedContext> contextCache() {
    return caches.contexts().entries();
  }

  /** The entries that the interrupt-entry cache holds, by index. */
  public Map<Integer, InterruptEntry> interruptCache() {
    return interrupts.cache().entries();
  }

  /** The devices that take part in address translation. */
  public Endpoints endpoints() {
    return endpoints;
  }

  /** The faults that wait for software, by the index of their record. */
  public List<PendingFault> faults() {
    return log.pending();
  }

  /** The invalidation queue at a glance. */
  public QueueState queue() {
    return queue.state();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("remapping-unit").put(registers).put(log).put(remapper.tables());
    digest.put(endpoints).put(queue).put(caches).put(interrupts).put(circuit.malfunctions());
    digest.put(postedWrites());
  }
}
