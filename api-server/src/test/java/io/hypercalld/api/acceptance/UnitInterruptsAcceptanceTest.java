package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.BareUnit.X;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.CapabilityFields;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.FaultRecord;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InterruptEntry;
import io.hypercalld.iommu.vtd.InterruptMessage;
import io.hypercalld.iommu.vtd.InterruptTableAddress;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import io.hypercalld.iommu.vtd.PostedDescriptor;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.RemappableMessage;
import java.util.stream.Stream;

/** Interrupt remapping and posting of the model unit, over HTTP: spec/vtd.md 3.6, 7.8. */
final class UnitInterruptsAcceptanceTest
    implements NumberedBehaviours<UnitInterruptsAcceptanceTest.Host> {
  private static final int ORDER = 9;
  private static final int INDEX = 0x102;
  private static final int VECTOR = 0x41;

  /** A bare unit that remaps interrupts through a table of 512 entries, with a queue. */
  static final class Host implements NumberedBehaviours.Host {
    final BareUnit unit;
    private long table;
    private UnitQueue queue;

    Host(BareUnit unit) {
      this.unit = unit;
      this.queue = UnitQueue.of(unit);
    }

    void begin(boolean extended) {
      unit.powerOn();
      table = unit.newPages(2);
      queue = UnitQueue.of(unit);
      unit.write(Register.IRTA, InterruptTableAddress.table(table, ORDER, extended));
      unit.command(GlobalCommand.SIRTP, true);
      unit.command(GlobalCommand.IRE, true);
    }

    void put(int index, InterruptEntry entry) {
      unit.poke(table + (long) index * InterruptEntry.BYTES, entry.lo(), entry.hi());
    }

    /** Has a device send a message that names an entry. */
    Arrival send(SourceId requester, int handle, int subhandle) {
      RemappableMessage message = RemappableMessage.of(handle, subhandle);
      return send(requester, message.address(), message.data());
    }

    Arrival send(int index) {
      return send(X, index, 0);
    }

    Arrival send(SourceId requester, long address, int data) {
      String body = "{\"address\":\"0x%x\",\"data\":\"0x%x\"}".formatted(address, data);
      return new Arrival(unit.daemon().post(BareUnit.device(requester) + "/msi", body).body());
    }

    @Override
    public void close() {
      unit.close();
    }
  }

  /** What became of a message. */
  record Arrival(JsonNode body) {
    boolean isDelivered() {
      return body.get("outcome").asText().equals("delivered");
    }

    int vector() {
      return body.path("vector").asInt(-1);
    }

    int fault() {
      String reason = body.at("/fault/reason").asText("");
      return reason.isEmpty() ? 0 : Integer.decode(reason);
    }

    boolean recorded() {
      return body.at("/fault/recorded").asBoolean();
    }
  }

  @Override
  public Host start() {
    return new Host(BareUnit.on(ModelUnit.with(CapabilityFields.PI, 1)));
  }

  @Override
  public void begin(Host it) {
    it.begin(false);
  }

  @Override
  public Stream<Row<Host>> rows() {
    return Stream.of(format(), sources(), caching(), posting()).flatMap(rows -> rows);
  }

  private static InterruptEntry entry(int vector) {
    return InterruptEntry.remapped(InterruptMessage.fixed(vector, 0), false);
  }

  private static Stream<Row<Host>> format() {
    return Stream.of(
        row(
            "B116 compatibility format is blocked, but for CFI without extended mode",
            it -> {
              assertThat(it.send(X, 0xfee0_0000L, VECTOR).fault()).isEqualTo(0x25);

              it.unit.command(GlobalCommand.CFI, true);
              assertThat(it.send(X, 0xfee0_0000L, VECTOR).vector()).isEqualTo(VECTOR);

              it.begin(true);
              it.unit.command(GlobalCommand.CFI, true);
              assertThat(it.send(X, 0xfee0_0000L, VECTOR).fault()).isEqualTo(0x25);
            }),
        row(
            "B117 an index beyond the table is blocked, and none wraps",
            it -> {
              it.put(0, entry(VECTOR));

              assertThat(it.send(1 << ORDER).fault()).isEqualTo(0x21);
              assertThat(it.send(X, 0xffff, 1).fault()).isEqualTo(0x21);
              assertThat(it.send((1 << ORDER) - 1).fault()).isEqualTo(0x22);
            }),
        row(
            "B118 an absent entry blocks, and says which",
            it -> {
              Arrival arrival = it.send(INDEX);

              assertThat(arrival.fault()).isEqualTo(0x22);
              assertThat(arrival.recorded()).isTrue();
              assertThat(it.unit.record(0))
                  .isEqualTo(
                      FaultRecord.interrupt(X, INDEX, FaultReason.INTERRUPT_ENTRY_NOT_PRESENT));
            }),
        row(
            "B82 FPD of an absent entry is honoured, an index beyond the table always recorded",
            it -> {
              it.put(INDEX, new InterruptEntry(InterruptEntry.FPD.mask(), 0));

              assertThat(it.send(INDEX).recorded()).isFalse();
              assertThat(it.unit.read(Register.FSTS)).isZero();
              assertThat(it.send(1 << ORDER).recorded()).isTrue();
            }),
        row(
            "B119 reserved bits of an entry block",
            it -> {
              it.put(INDEX, new InterruptEntry(entry(VECTOR).lo() | 1 << 12, 0));
              it.put(INDEX + 1, new InterruptEntry(entry(VECTOR).lo() | 1L << 32, 0));

              assertThat(it.send(INDEX).fault()).isEqualTo(0x24);
              assertThat(it.send(INDEX + 1).fault()).isEqualTo(0x24);
            }),
        row(
            "B122 data beyond the subhandle blocks before the entry is looked at",
            it -> {
              long address = RemappableMessage.of(INDEX, 0).address();

              assertThat(it.send(X, address, 0x1_0001).fault()).isEqualTo(0x20);
            }),
        row(
            "3.3 a message with a PASID is none that can be remapped",
            it -> {
              it.put(INDEX, entry(VECTOR));
              String body =
                  "{\"address\":\"0x%x\",\"data\":\"0x0\",\"pasid\":7}"
                      .formatted(RemappableMessage.of(INDEX, 0).address());

              Arrival arrival =
                  new Arrival(it.unit.daemon().post(BareUnit.device(X) + "/msi", body).body());

              assertThat(arrival.fault()).isEqualTo(0x29);
              assertThat(arrival.recorded()).isTrue();
            }),
        row(
            "B125 with remapping off everything passes as it is written",
            it -> {
              it.put(INDEX, entry(VECTOR + 1).from(new SourceId(0x0387), 0));
              assertThat(it.send(INDEX).fault()).isEqualTo(0x26);
              it.unit.command(GlobalCommand.IRE, false);

              assertThat(it.send(X, 0xfee0_0000L, VECTOR).vector()).isEqualTo(VECTOR);
              long remappable = RemappableMessage.of(INDEX, 0).address();
              assertThat(it.send(X, remappable, VECTOR).vector()).isEqualTo(VECTOR);
            }),
        row(
            "B61 a DMA write into the range is an interrupt request like any other",
            it -> {
              it.put(INDEX, entry(VECTOR).from(X, 0));
              long address = RemappableMessage.of(INDEX, 0).address();

              assertThat(it.unit.dmaWrite(address, 0).end()).isEqualTo("interrupt");
              assertThat(it.unit.dmaWrite(new SourceId(0x0400), address, 0).fault())
                  .isEqualTo(0x26);
            }));
  }

  private static Stream<Row<Host>> sources() {
    return Stream.of(
        row(
            "B120 a source-id is compared less the bits that SQ names",
            it -> {
              it.put(INDEX, entry(VECTOR).from(new SourceId(0x0380), 3));

              assertThat(it.send(new SourceId(0x0387), INDEX, 0).isDelivered()).isTrue();
              assertThat(it.send(new SourceId(0x0388), INDEX, 0).fault()).isEqualTo(0x26);
            }),
        row(
            "3.6 a function that names another one's entry is blocked, and recorded as itself",
            it -> {
              SourceId forger = new SourceId(0x0387);
              it.put(INDEX, entry(VECTOR).from(X, 0));

              assertThat(it.send(forger, INDEX, 0).fault()).isEqualTo(0x26);

              assertThat(it.unit.record(0))
                  .isEqualTo(
                      FaultRecord.interrupt(forger, INDEX, FaultReason.INTERRUPT_SOURCE_INVALID));
              assertThat(it.send(INDEX).isDelivered()).isTrue();
            }),
        row(
            "B121 a bus range starts in the high byte",
            it -> {
              InterruptEntry entry = entry(VECTOR).fromBuses(3, 5);
              assertThat(entry.hi()).isEqualTo(0x8_0305L);
              it.put(INDEX, entry);

              assertThat(it.send(new SourceId(0x0400), INDEX, 0).isDelivered()).isTrue();
              assertThat(it.send(new SourceId(0x0600), INDEX, 0).fault()).isEqualTo(0x26);
            }));
  }

  private static Stream<Row<Host>> caching() {
    return Stream.of(
        row(
            "B123 a changed entry is seen once its cached one is invalidated",
            it -> {
              it.put(INDEX, entry(VECTOR));
              it.send(INDEX);
              it.put(INDEX, entry(VECTOR + 1));
              assertThat(it.send(INDEX).vector()).isEqualTo(VECTOR);

              it.queue.submit(InvalidationDescriptor.interrupts(INDEX + 1, 0));
              assertThat(it.send(INDEX).vector()).isEqualTo(VECTOR);
              it.queue.submit(InvalidationDescriptor.interrupts(INDEX, 0));
              assertThat(it.send(INDEX).vector()).isEqualTo(VECTOR + 1);

              it.put(INDEX, entry(VECTOR + 2));
              it.queue.submit(InvalidationDescriptor.allInterrupts());
              assertThat(it.send(INDEX).vector()).isEqualTo(VECTOR + 2);
            }),
        row(
            "B124 an index mask drops an aligned run",
            it -> {
              for (int index = 0xff; index <= 0x104; index++) {
                it.put(index, entry(VECTOR));
                it.send(index);
                it.put(index, entry(VECTOR + 1));
              }

              it.queue.submit(InvalidationDescriptor.interrupts(INDEX, 2));

              for (int index = 0x100; index <= 0x103; index++) {
                assertThat(it.send(index).vector()).isEqualTo(VECTOR + 1);
              }
              assertThat(it.send(0xff).vector()).isEqualTo(VECTOR);
              assertThat(it.send(0x104).vector()).isEqualTo(VECTOR);
            }),
        row(
            "1.10 a new table is used once its pointer is set",
            it -> {
              long other = it.unit.newPages(2);
              InterruptEntry there = entry(VECTOR + 1);
              it.unit.poke(other + (long) INDEX * InterruptEntry.BYTES, there.lo(), there.hi());
              it.put(INDEX, entry(VECTOR));

              it.unit.write(Register.IRTA, InterruptTableAddress.table(other, ORDER, false));
              assertThat(it.send(INDEX).vector()).isEqualTo(VECTOR);
              it.unit.command(GlobalCommand.SIRTP, true);
              assertThat(it.send(INDEX).vector()).as("remembered").isEqualTo(VECTOR);

              it.queue.submit(InvalidationDescriptor.allInterrupts());
              assertThat(it.send(INDEX).vector()).isEqualTo(VECTOR + 1);
            }));
  }

  private static Stream<Row<Host>> posting() {
    return Stream.of(
        row(
            "B126 a posted interrupt sets its bit, and notifies once",
            it -> {
              it.unit.offline(3);
              long descriptor = post(it, PostedDescriptor.control(0x52, 3, false), false);

              Arrival arrival = it.send(INDEX);
              it.send(INDEX);

              assertThat(it.unit.waiting(3)).containsExactly(0x52);

              assertThat(arrival.body().get("outcome").asText()).isEqualTo("posted");
              assertThat(it.unit.word(descriptor + 8)).isEqualTo(1L << (VECTOR - 64));
              assertThat(PostedDescriptor.ON.isSet(control(it, descriptor))).isTrue();
              assertThat(it.unit.counter("/interrupts/posted")).isEqualTo(2);
              assertThat(it.unit.counter("/interrupts/notifications")).isEqualTo(1);
            }),
        row(
            "B127 suppressed notifications are not sent, urgent ones are",
            it -> {
              long suppressing = PostedDescriptor.SN.set(PostedDescriptor.control(0x52, 0, false));
              long descriptor = post(it, suppressing, false);

              it.send(INDEX);

              assertThat(it.unit.word(descriptor + 8)).isNotZero();
              assertThat(control(it, descriptor)).isEqualTo(suppressing);
              assertThat(it.unit.counter("/interrupts/notifications")).isZero();

              long urgent = post(it, suppressing, true);
              it.queue.submit(InvalidationDescriptor.allInterrupts());
              it.send(INDEX);
              assertThat(PostedDescriptor.ON.isSet(control(it, urgent))).isTrue();
              assertThat(it.unit.counter("/interrupts/notifications")).isEqualTo(1);
            }),
        row(
            "2.8 descriptors outside memory and with reserved bits are faults of their own",
            it -> {
              it.put(INDEX, InterruptEntry.posted(BareUnit.BEYOND_RAM, VECTOR, false));
              assertThat(it.send(INDEX).fault()).isEqualTo(0x27);

              post(it, 1L << 2, false);
              it.queue.submit(InvalidationDescriptor.allInterrupts());
              assertThat(it.send(INDEX).fault()).isEqualTo(0x28);
            }));
  }

  private static long post(Host it, long control, boolean urgent) {
    long descriptor = it.unit.newPage();
    it.unit.poke(descriptor + PostedDescriptor.CONTROL_OFFSET, control);
    it.put(INDEX, InterruptEntry.posted(descriptor, VECTOR, urgent).from(X, 0));
    return descriptor;
  }

  private static long control(Host it, long descriptor) {
    return it.unit.word(descriptor + PostedDescriptor.CONTROL_OFFSET);
  }
}
