package io.hypercalld.api.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.api.scenario.DaemonUnderTest;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.FaultRecord;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.RootEntry;
import io.hypercalld.iommu.vtd.RootTableAddress;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * A served machine's only unit, driven by the test alone: the model unit of spec/vtd.md 7, or one
 * with other capabilities. The hypervisor has booted on it and is never asked again.
 *
 * <p>Device X = 03:10.2 has domain-id 5 and four-level tables. Memory from {@link #FREE} on is the
 * test's: {@link #newPage} hands it out and never twice, so that a row finds zeroes.
 *
 * <p>{@link #beside} gives such a machine a second unit, to which 06:00.0 is what X is to the
 * first.
 */
public final class BareUnit implements NumberedBehaviours.Host {
  static final SourceId X = new SourceId(0x0382);
  static final SourceId OTHER_UNITS_DEVICE = new SourceId(0x0600);
  static final int DOMAIN = 5;
  static final int READ = (int) SecondStageEntry.R.mask();
  static final int WRITE = (int) SecondStageEntry.W.mask();
  static final int READ_WRITE = SecondStageEntry.READ_WRITE;

  /** Above all RAM and below the host's address width. */
  static final long BEYOND_RAM = 0x10_0000_0000L;

  private static final long FREE = 0x4000_0000L;
  private static final long FREE_OF_OTHER = 0x6000_0000L;

  private static final String PLATFORM =
      """
      name: bare
      hostAddressWidth: 46
      memory: {size: 4GiB, lowTop: 3GiB, dom0: 256MiB}
      units:
      %s  - {base: 0xfed90000, cap: 0x%x, ecap: 0x%x, habits: {%s}, includeAll: true}
      devices:
        - {address: "00:00.0", vendor: 0x8086, device: 0x6f00, class: 0x060000}
        - {address: "03:10.0", vendor: 0x8086, device: 0x1515, class: 0x020000}
        - {address: "03:10.1", vendor: 0x8086, device: 0x1515, class: 0x020000}
        - {address: "03:10.2", vendor: 0x8086, device: 0x1515, class: 0x020000}
        - {address: "03:10.7", vendor: 0x8086, device: 0x1515, class: 0x020000}
        - {address: "03:1f.7", vendor: 0x8086, device: 0x1515, class: 0x020000}
        - {address: "03:11.0", vendor: 0x8086, device: 0x1515, class: 0x020000}
        - {address: "04:00.0", vendor: 0x8086, device: 0x1515, class: 0x020000}
        - {address: "06:00.0", vendor: 0x8086, device: 0x1515, class: 0x020000}
      """;

  private static final String OTHER_UNIT =
      "  - {base: 0xfed91000, cap: 0x%x, ecap: 0x%x, scopes: [{endpoint: \"06:00.0\"}]}\n";

  private final DaemonUnderTest daemon;
  private final String unit;
  private final SourceId requester;
  private final Capabilities capabilities;
  private long nextPage;
  private long rootTable;
  private long pageTable;

  private BareUnit(
      DaemonUnderTest daemon, int index, SourceId requester, Capabilities capabilities) {
    this.daemon = daemon;
    this.unit = "/v1/iommus/" + index;
    this.requester = requester;
    this.capabilities = capabilities;
    this.nextPage = requester.equals(X) ? FREE : FREE_OF_OTHER;
    powerOn();
  }

  private static DaemonUnderTest serve(String platform) {
    try {
      Path file = Files.createTempFile("bare", ".yaml");
      try {
        Files.writeString(file, platform);
        return DaemonUnderTest.on(PlatformSource.named(file.toString()));
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The model unit. */
  static BareUnit model() {
    return on(ModelUnit.CAPABILITIES);
  }

  static BareUnit on(Capabilities capabilities) {
    return withHabits(capabilities, "");
  }

  /**
   * A unit that uses some freedoms of the specification otherwise.
   *
   * @param habits as a platform's file names them
   */
  static BareUnit withHabits(Capabilities capabilities, String habits) {
    return new BareUnit(serve(platform("", capabilities, habits)), 0, X, capabilities);
  }

  /** The model unit of a machine whose {@link #other} unit is this one. */
  static BareUnit beside(Capabilities other) {
    String unit = OTHER_UNIT.formatted(other.cap(), other.ecap());
    DaemonUnderTest daemon = serve(platform(unit, ModelUnit.CAPABILITIES, ""));
    return new BareUnit(daemon, 1, X, ModelUnit.CAPABILITIES);
  }

  /** The first unit of a machine that {@link #beside} made. */
  BareUnit other(Capabilities other) {
    return new BareUnit(daemon, 0, OTHER_UNITS_DEVICE, other);
  }

  private static String platform(String otherUnit, Capabilities capabilities, String habits) {
    return PLATFORM.formatted(otherUnit, capabilities.cap(), capabilities.ecap(), habits);
  }

  DaemonUnderTest daemon() {
    return daemon;
  }

  Capabilities capabilities() {
    return capabilities;
  }

  /** Power off and on: every register as it comes, nothing remembered, new empty tables. */
  void powerOn() {
    resetUnit(true);
    rootTable = newPage();
    pageTable = newPage();
  }

  /** A reset without loss of power: sticky bits stay. */
  void reset() {
    resetUnit(false);
  }

  private void resetUnit(boolean power) {
    expect(
        204,
        daemon.post(unit.replace("/v1", "/_sim") + "/reset", "{\"power\":%s}".formatted(power)));
    daemon.post(unit + "/counters/reset", "");
  }

  /**
   * Powers on, sets the root pointer, gives the device its context entry, switches translation on.
   */
  void translate() {
    powerOn();
    context(requester, entry());
    setRootPointer(rootTable);
    command(GlobalCommand.TE, true);
  }

  private static JsonNode expect(int status, Answer answer) {
    assertThat(answer.status()).as(answer.body().toString()).isEqualTo(status);
    return answer.body();
  }

  // Registers.

  int read32(int offset) {
    return (int) mmio("{\"offset\":\"0x%x\",\"size\":4}".formatted(offset));
  }

  long read64(int offset) {
    return mmio("{\"offset\":\"0x%x\",\"size\":8}".formatted(offset));
  }

  void write32(int offset, long value) {
    mmio(
        "{\"offset\":\"0x%x\",\"size\":4,\"value\":\"0x%x\"}"
            .formatted(offset, value & 0xffff_ffffL));
  }

  void write64(int offset, long value) {
    mmio("{\"offset\":\"0x%x\",\"size\":8,\"value\":\"0x%x\"}".formatted(offset, value));
  }

  private long mmio(String body) {
    JsonNode answer = expect(200, daemon.post(unit + "/mmio", body));
    return Long.parseUnsignedLong(answer.get("value").asText().substring(2), 16);
  }

  /** A register's value, by its own width and zero-extended. */
  long read(Register register) {
    int offset = register.offset(capabilities);
    return register.bytes() == Long.BYTES ? read64(offset) : Integer.toUnsignedLong(read32(offset));
  }

  void write(Register register, long value) {
    int offset = register.offset(capabilities);
    if (register.bytes() == Long.BYTES) {
      write64(offset, value);
    } else {
      write32(offset, value);
    }
  }

  boolean isSet(Register register, BitField field) {
    return field.isSet(read(register));
  }

  /** Changes one persistent bit of GCMD as careful software does, or gives a one-shot command. */
  void command(BitField field, boolean on) {
    long status = read(Register.GSTS) & Integer.toUnsignedLong(~GlobalCommand.ONE_SHOT);
    write(Register.GCMD, field.put(status, on ? 1 : 0));
  }

  void setRootPointer(long table) {
    write(Register.RTADDR, RootTableAddress.legacy(table));
    command(GlobalCommand.SRTP, true);
  }

  // Memory and tables.

  /** A page of zeroes that no row has used. */
  long newPage() {
    return newPages(1);
  }

  /** Some pages of zeroes in a row, as much aligned as they are many. */
  long newPages(int count) {
    long bytes = (long) count * PageSize.BYTES_4K;
    long first = (nextPage + bytes - 1) & -Long.highestOneBit(bytes);
    nextPage = first + bytes;
    return first;
  }

  long word(long maddr) {
    return ByteBuffer.wrap(bytes(maddr, Long.BYTES)).order(ByteOrder.LITTLE_ENDIAN).getLong();
  }

  int int32(long maddr) {
    return ByteBuffer.wrap(bytes(maddr, Integer.BYTES)).order(ByteOrder.LITTLE_ENDIAN).getInt();
  }

  private byte[] bytes(long maddr, int length) {
    JsonNode answer =
        expect(200, daemon.get("/v1/memory?maddr=0x%x&length=%d".formatted(maddr, length)));
    return HexFormat.of().parseHex(answer.get("data").asText());
  }

  /** Writes 64-bit words, little-endian, from an address on. */
  void poke(long maddr, long... words) {
    ByteBuffer buffer =
        ByteBuffer.allocate(words.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (long word : words) {
      buffer.putLong(word);
    }
    String hex = HexFormat.of().formatHex(buffer.array());
    Answer answer =
        daemon.put("/v1/memory", "{\"maddr\":\"0x%x\",\"data\":\"%s\"}".formatted(maddr, hex));
    assertThat(answer.status()).as(answer.body().toString()).isBetween(200, 204);
  }

  long rootTable() {
    return rootTable;
  }

  /** X's page table, of four levels. */
  long pageTable() {
    return pageTable;
  }

  /** X's ordinary context entry. */
  ContextEntry entry() {
    return ContextEntry.translating(pageTable, AddressWidth.BITS_48, DOMAIN);
  }

  void context(SourceId requester, ContextEntry entry) {
    context(rootTable, requester, entry);
  }

  /** Writes a context entry, and the root entry that leads to it, into the given root table. */
  void context(long root, SourceId requester, ContextEntry entry) {
    long slot = root + RootEntry.offset(requester);
    if (word(slot) == 0) {
      poke(slot, RootEntry.to(newPage()).lo());
    }
    long table = new RootEntry(word(slot), 0).contextTable();
    poke(table + ContextEntry.offset(requester), entry.lo(), entry.hi());
  }

  void map(long iova, long maddr) {
    map(iova, maddr, READ_WRITE);
  }

  void map(long iova, long maddr, int permissions) {
    put(iova, 1, SecondStageEntry.leaf(maddr, PageSize.SIZE_4K, permissions));
  }

  /** Writes the entry of a level for an address of X's as it is given. */
  void put(long iova, int level, long entry) {
    poke(slot(pageTable, 4, iova, level), entry);
  }

  /** Address of the entry of {@code level} for {@code iova}, tables made on the way. */
  long slot(long root, int levels, long iova, int level) {
    long table = root;
    for (int each = levels; each > level; each--) {
      long slot = table + SecondStageEntry.offset(iova, each);
      if (!SecondStageEntry.isPresent(word(slot))) {
        poke(slot, SecondStageEntry.table(newPage()));
      }
      table = SecondStageEntry.target(word(slot));
    }
    return table + SecondStageEntry.offset(iova, level);
  }

  // Devices.

  static String device(SourceId requester) {
    return "/v1/devices/" + requester.in(0);
  }

  /** Has X read so many bytes. */
  UnitDma dmaRead(long iova, int length) {
    return dmaRead(requester, iova, length);
  }

  UnitDma dmaRead(SourceId requester, long iova, int length) {
    return dma(
        requester, "{\"op\":\"read\",\"address\":\"0x%x\",\"length\":%d}".formatted(iova, length));
  }

  /** Has X write a 32-bit number. */
  UnitDma dmaWrite(long iova, int value) {
    return dmaWrite(requester, iova, value);
  }

  UnitDma dmaWrite(SourceId requester, long iova, int value) {
    String hex = HexFormat.of().toHexDigits(Integer.reverseBytes(value));
    return dma(
        requester, "{\"op\":\"write\",\"address\":\"0x%x\",\"data\":\"%s\"}".formatted(iova, hex));
  }

  /** Has X add to a 32-bit number. */
  UnitDma dmaAdd(long iova, int operand) {
    String hex = HexFormat.of().toHexDigits(Integer.reverseBytes(operand));
    return dma(
        requester,
        "{\"op\":\"fetch_add\",\"address\":\"0x%x\",\"data\":\"%s\"}".formatted(iova, hex));
  }

  /** Has X's writes wait after their translation, or land. */
  void hold(boolean on) {
    String writes = device(requester).replace("/v1", "/_sim") + "/writes";
    expect(200, daemon.post(writes, "{\"held\":%s}".formatted(on)));
  }

  UnitDma dma(SourceId requester, String body) {
    return new UnitDma(expect(200, daemon.post(device(requester) + "/dma", body)));
  }

  // Interrupts.

  /** Takes a processor out of use, so that it keeps what reaches it. */
  void offline(int processor) {
    expect(200, daemon.put("/_sim/processors/" + processor, "{\"online\":false}"));
  }

  /** Vectors that a processor has and has not taken. */
  List<Integer> waiting(int processor) {
    List<Integer> vectors = new ArrayList<>();
    expect(200, daemon.get("/v1/machine/processors"))
        .at("/items/" + processor + "/irr")
        .forEach(vector -> vectors.add(vector.asInt()));
    return vectors;
  }

  // Faults and counters.

  FaultRecord record(int index) {
    int offset = capabilities.faultRecordOffset(index);
    return new FaultRecord(read64(offset), read64(offset + Long.BYTES));
  }

  /** Clears F of one record as Linux and Xen do: by 32 bits at +12. */
  void clearRecord(int index) {
    write32(capabilities.faultRecordOffset(index) + 12, 0x8000_0000L);
  }

  /** A number that the unit counts, by its JSON Pointer. */
  long counter(String pointer) {
    JsonNode value = expect(200, daemon.get(unit + "/counters")).at(pointer);
    assertThat(value.isNumber()).as(pointer).isTrue();
    return value.asLong();
  }

  /** A listing of the unit's: {@code iotlb}, {@code faults}, {@code registers} and so on. */
  JsonNode listing(String name) {
    return expect(200, daemon.get(unit + "/" + name + "?limit=1000")).get("items");
  }

  JsonNode queue() {
    return expect(200, daemon.get(unit + "/invalidation-queue"));
  }

  @Override
  public void close() {
    daemon.close();
  }
}
