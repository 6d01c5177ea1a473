package io.hypercalld.api.conformance;

import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.MemoryMap;
import io.hypercalld.core.memory.WordProgression;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.unit.DmaRequester;
import io.hypercalld.iommu.unit.InterruptOutcome;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.unit.RootComplex;
import io.hypercalld.iommu.unit.Translation;
import io.hypercalld.iommu.unit.UnitSettings;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.Habits;
import io.hypercalld.iommu.vtd.InterruptMessage;
import io.hypercalld.iommu.vtd.Mmio;
import io.hypercalld.iommu.vtd.UnitVersion;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/** A machine as the corpus was recorded on: RAM in two pieces, one unit, some devices. */
final class CaseMachine implements CaptureHost {
  private static final long GIB = 1L << 30;
  private static final MemoryMap RAM = MemoryMap.of(6 * GIB, 2 * GIB, List.of());

  /** The upper half of every word of a filled page; the lower one is the word's address. */
  private static final long PATTERN = 0x5aa5_0000_0000_0000L;

  final MachineMemory memory = new MachineMemory(RAM);
  private final RemappingUnit unit;
  final RootComplex rootComplex;
  private final List<InterruptMessage> sent = new ArrayList<>();
  private final List<DmaRequester> requesters = new ArrayList<>();
  private final Set<Long> edited = new LinkedHashSet<>();
  private final Translation translation = new Translation();
  private Instruments instruments = Instruments.EXACT;

  /** A machine with empty memory and no devices. */
  private CaseMachine(UnitSettings settings) {
    unit = new RemappingUnit(settings, memory, sent::add);
    rootComplex = new RootComplex(memory, sent::add);
  }

  /** A machine for a recorded driver, whatever its devices. */
  static CaseMachine bare(Capabilities capabilities, Set<Integer> requesters) {
    return new CaseMachine(
        settings(capabilities, capabilities.maximumGuestAddressWidth(), Habits.LENIENT));
  }

  private static UnitSettings settings(Capabilities capabilities, int width, Habits habits) {
    try {
      return UnitSettings.of(UnitVersion.V1_0, capabilities, width).withHabits(habits);
    } catch (IllegalArgumentException impossible) {
      throw new UnreadableRecording("no such unit: " + impossible.getMessage());
    }
  }

  /** The machine that a case begins with. */
  static CaseMachine of(CorpusCase recorded, Habits habits) {
    Capabilities capabilities = new Capabilities(recorded.cap(), recorded.ecap());
    CaseMachine machine =
        new CaseMachine(settings(capabilities, recorded.hostAddressWidth(), habits));
    recorded.devices().forEach(sourceId -> machine.requesters.add(machine.wired(sourceId)));
    recorded.fills().forEach(machine::fill);
    machine.edit(recorded.memory());
    return machine;
  }

  /** Has the judge see it otherwise than it is. */
  void seeThrough(Instruments others) {
    instruments = others;
  }

  @Override
  public Instruments instruments() {
    return instruments;
  }

  @Override
  public RemappingUnit unit() {
    return unit;
  }

  @Override
  public Mmio window() {
    return unit;
  }

  @Override
  public boolean isRam(long address, long bytes) {
    return memory.isRam(address, bytes);
  }

  @Override
  public OptionalLong place(long address) {
    return OptionalLong.of(address);
  }

  @Override
  public Passage request(Request request, long meant) {
    unit.translate(new SourceId(request.sourceId()), request.iova(), request.access(), translation);
    if (translation.passed()) {
      return new Passage(OptionalLong.of(translation.maddr()), "ok:" + Hex.of(translation.maddr()));
    }
    return new Passage(
        OptionalLong.empty(),
        translation.outcome() == Translation.Outcome.FAULTED
            ? "fault:" + Hex.of(translation.reason().code())
            : translation.outcome().toString());
  }

  @Override
  public InterruptOutcome interrupt(int sourceId, long address, int data) {
    return rootComplex.interrupt(wired(sourceId), address, data);
  }

  /** A function behind the unit. */
  DmaRequester wired(int sourceId) {
    return new DmaRequester(new SourceId(sourceId), Optional.of(unit), true);
  }

  /**
   * The device of an index.
   *
   * @throws UnreadableRecording where the case has none
   */
  DmaRequester requester(int device) {
    if (device < 0 || device >= requesters.size()) {
      throw new UnreadableRecording("no device " + device);
    }
    return requesters.get(device);
  }

  void setBusMaster(int device, boolean on) {
    DmaRequester before = requester(device);
    requesters.set(device, new DmaRequester(before.sourceId(), before.unit(), on));
  }

  void fill(CorpusCase.Fill fill) {
    if (memory.isRam(fill.address(), fill.bytes())) {
      memory.fillWords(
          fill.address(),
          fill.bytes() / Long.BYTES,
          new WordProgression(PATTERN | fill.address(), Long.BYTES));
    }
  }

  /** Stores words as software does, and remembers which; what is no RAM keeps nothing. */
  void edit(List<CorpusCase.Word> words) {
    for (CorpusCase.Word word : words) {
      store(word);
      edited.add(word.address());
    }
  }

  /** Addresses of all words that software has edited. */
  Set<Long> edited() {
    return edited;
  }

  @Override
  public void store(CorpusCase.Word word) {
    if (memory.isRam(word.address(), Long.BYTES)) {
      memory.writeWord(word.address(), word.value());
    }
  }

  @Override
  public long word(long address) {
    return memory.isRam(address, Long.BYTES) ? memory.readWord(address) : 0;
  }

  @Override
  public byte[] bytes(long address, int length) {
    byte[] bytes = new byte[length];
    if (memory.isRam(address, length)) {
      memory.read(address, bytes, 0, length);
    }
    return bytes;
  }

  /** Takes back one interrupt that somebody has looked at already. */
  void forget(InterruptMessage message) {
    sent.remove(message);
  }

  /** The unit's and the devices'. */
  @Override
  public List<InterruptMessage> takeMessages() {
    List<InterruptMessage> taken = List.copyOf(sent);
    sent.clear();
    return taken;
  }

  @Override
  public void close() {
    memory.close();
  }
}
