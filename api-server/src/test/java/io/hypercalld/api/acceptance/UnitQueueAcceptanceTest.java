package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.BareUnit.DOMAIN;
import static io.hypercalld.api.acceptance.BareUnit.X;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static io.hypercalld.iommu.vtd.InvalidationDescriptor.allContexts;
import static io.hypercalld.iommu.vtd.InvalidationDescriptor.allInterrupts;
import static io.hypercalld.iommu.vtd.InvalidationDescriptor.allPasids;
import static io.hypercalld.iommu.vtd.InvalidationDescriptor.allTranslations;
import static io.hypercalld.iommu.vtd.InvalidationDescriptor.deviceTranslations;
import static io.hypercalld.iommu.vtd.InvalidationDescriptor.domainTranslations;
import static io.hypercalld.iommu.vtd.InvalidationDescriptor.interrupts;
import static io.hypercalld.iommu.vtd.InvalidationDescriptor.pageTranslations;
import static io.hypercalld.iommu.vtd.InvalidationDescriptor.waitWithInterrupt;
import static io.hypercalld.iommu.vtd.InvalidationDescriptor.waitWithStatus;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.vtd.ContextCommand;
import io.hypercalld.iommu.vtd.FaultStatus;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import io.hypercalld.iommu.vtd.InvalidationQueueFields;
import io.hypercalld.iommu.vtd.IotlbCommand;
import io.hypercalld.iommu.vtd.Register;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** The invalidation queue of the model unit, over HTTP: spec/vtd.md 1.9, 7.7. */
final class UnitQueueAcceptanceTest implements NumberedBehaviours<BareUnit> {
  private static final long IOVA = 0x5000;
  private static final String EVENTS = "/interrupts/events";

  @Override
  public BareUnit start() {
    return BareUnit.model();
  }

  /** Translating, with one page in the IOTLB and one entry in the context cache. */
  @Override
  public void begin(BareUnit it) {
    remember(it);
  }

  private static void remember(BareUnit it) {
    it.translate();
    it.map(IOVA, it.newPage());
    assertThat(it.dmaRead(IOVA, 4).done()).isTrue();
  }

  @Override
  public Stream<Row<BareUnit>> rows() {
    return Stream.of(stopping(), errors(), completion(), legality()).flatMap(rows -> rows);
  }

  private static Stream<Row<BareUnit>> stopping() {
    return Stream.of(
        row(
            "B104 a type that there is not stops the queue in front of it",
            it -> {
              stops(it, 0);
              remember(it);
              stops(it, 0xf);
            }),
        row(
            "B105 a repaired descriptor is fetched once the error is cleared",
            it -> {
              UnitQueue queue = UnitQueue.of(it);
              long status = it.newPage();
              queue.submit(
                  allContexts(), new InvalidationDescriptor(0, 0), waitWithStatus(status, 3));
              assertThat(queue.head()).isEqualTo(0x10);

              queue.put(1, waitWithStatus(status + 8, 4));
              queue.clearError();

              assertThat(queue.stopped()).isFalse();
              assertThat(queue.head()).isEqualTo(0x30);
              assertThat(queue.error()).isZero();
              assertThat(it.int32(status)).isEqualTo(3);
              assertThat(it.int32(status + 8)).isEqualTo(4);
            }),
        row(
            "B106 a stopped queue takes a new tail and fetches nothing",
            it -> {
              UnitQueue queue = UnitQueue.of(it);
              queue.submit(new InvalidationDescriptor(0, 0));

              queue.submit(allTranslations());

              assertThat(it.read(Register.IQT)).isEqualTo(0x20);
              assertThat(queue.head()).isZero();
              assertThat(it.listing("iotlb")).hasSize(1);
            }),
        row(
            "1.9 an error that is not repaired comes back",
            it -> {
              UnitQueue queue = UnitQueue.of(it);
              queue.submit(new InvalidationDescriptor(0, 0));

              queue.clearError();

              assertThat(queue.stopped()).isTrue();
              assertThat(queue.error()).isEqualTo(3);
            }),
        row(
            "1.9 a queue that stops raises the fault event, once",
            it -> {
              it.write(Register.FECTL, 0);
              UnitQueue queue = UnitQueue.of(it);

              queue.submit(new InvalidationDescriptor(0, 0));
              assertThat(it.counter(EVENTS)).isEqualTo(1);

              it.dmaRead(0x7000, 4);
              assertThat(it.read(Register.FSTS) & FaultStatus.PPF.mask()).isNotZero();
              assertThat(it.counter(EVENTS)).isEqualTo(1);
            }));
  }

  private static void stops(BareUnit it, int type) {
    UnitQueue queue = UnitQueue.of(it);
    long status = it.newPage();

    queue.submit(
        allContexts(),
        waitWithStatus(status, 1),
        allContexts(),
        new InvalidationDescriptor(type, 0),
        allTranslations(),
        waitWithStatus(status + 8, 2));

    assertThat(queue.stopped()).isTrue();
    assertThat(queue.head()).isEqualTo(0x30);
    assertThat(queue.error()).isEqualTo(3);
    assertThat(it.queue().get("error").asText()).isEqualTo("descriptor_type_invalid");
    assertThat(it.int32(status)).isEqualTo(1);
    assertThat(it.int32(status + 8)).isZero();
    assertThat(it.listing("context-cache")).isEmpty();
    assertThat(it.listing("iotlb")).hasSize(1);
  }

  private static Stream<Row<BareUnit>> errors() {
    return Stream.of(
        error("B107 a tail outside the ring", 1, it -> it.write(Register.IQT, 0x1000)),
        row(
            "1.9 a ring outside memory",
            it -> {
              it.write(Register.IQA, InvalidationQueueFields.ring(BareUnit.BEYOND_RAM, 0));
              it.command(GlobalCommand.QIE, true);

              it.write(Register.IQT, 0x10);

              assertThat(InvalidationQueueFields.IQEI.get(it.read(Register.IQERCD))).isEqualTo(2);
            }),
        refused(
            "B108 a reserved bit of a context descriptor",
            4,
            new InvalidationDescriptor(allContexts().lo() | 1 << 6, 0)),
        refused(
            "2.9 a second word where there is none",
            4,
            new InvalidationDescriptor(allContexts().lo(), 1)),
        refused(
            "2.9 a context descriptor without a granularity", 4, new InvalidationDescriptor(1, 0)),
        refused(
            "2.9 an IOTLB descriptor without a granularity", 4, new InvalidationDescriptor(2, 0)),
        refused("B109 a range beyond MAMV", 4, pageTranslations(DOMAIN, 0, 19, false)),
        refused(
            "2.9 a reserved bit of an interrupt descriptor",
            4,
            new InvalidationDescriptor(allInterrupts().lo() | 1 << 5, 0)),
        refused(
            "2.9 draining page requests where there are none",
            4,
            new InvalidationDescriptor(0x85, 0)),
        refused("2.9 a status word outside memory", 4, waitWithStatus(BareUnit.BEYOND_RAM, 1)),
        refused("B112 a device-TLB descriptor without DT", 3, deviceTranslations(X, 0, 0)),
        refused("2.9 a PASID descriptor without scalable mode", 3, allPasids()),
        row(
            "1.9 descriptors of 256 bits without scalable mode",
            it -> {
              it.write(
                  Register.IQA,
                  InvalidationQueueFields.DW.set(InvalidationQueueFields.ring(it.newPage(), 0)));
              it.command(GlobalCommand.QIE, true);

              it.write(Register.IQT, 0x20);

              assertThat(InvalidationQueueFields.IQEI.get(it.read(Register.IQERCD))).isEqualTo(5);
            }));
  }

  private static Row<BareUnit> refused(String what, int code, InvalidationDescriptor descriptor) {
    return row(
        what + " is error " + code,
        it -> {
          UnitQueue queue = UnitQueue.of(it);

          queue.submit(descriptor);

          assertThat(queue.stopped()).isTrue();
          assertThat(queue.error()).isEqualTo(code);
          assertThat(queue.head()).isZero();
          assertThat(it.listing("iotlb")).hasSize(1);
          assertThat(it.listing("context-cache")).hasSize(1);
        });
  }

  private static Row<BareUnit> error(String what, int code, Consumer<BareUnit> deed) {
    return row(
        what + " is error " + code,
        it -> {
          UnitQueue queue = UnitQueue.of(it);

          deed.accept(it);

          assertThat(queue.stopped()).isTrue();
          assertThat(queue.error()).isEqualTo(code);
        });
  }

  private static Stream<Row<BareUnit>> completion() {
    return Stream.of(
        row(
            "B110 a wait stores its word when what is before it has taken effect",
            it -> {
              UnitQueue queue = UnitQueue.of(it);
              long status = it.newPage();

              queue.submit(
                  domainTranslations(DOMAIN), allContexts(), waitWithStatus(status, 0x1234));

              assertThat(it.int32(status)).isEqualTo(0x1234);
              assertThat(it.listing("iotlb")).isEmpty();
              assertThat(it.listing("context-cache")).isEmpty();
            }),
        row(
            "B111 a wait with an interrupt raises the event until software has seen it",
            it -> {
              it.write(Register.IECTL, 0);
              UnitQueue queue = UnitQueue.of(it);

              queue.submit(waitWithInterrupt());
              assertThat(it.isSet(Register.ICS, InvalidationQueueFields.IWC)).isTrue();
              assertThat(it.counter(EVENTS)).isEqualTo(1);

              queue.submit(waitWithInterrupt());
              assertThat(it.counter(EVENTS)).isEqualTo(1);

              it.write(Register.ICS, 1);
              queue.submit(waitWithInterrupt());
              assertThat(it.counter(EVENTS)).isEqualTo(2);
            }),
        row(
            "2.9 one wait may store and interrupt, or do neither",
            it -> {
              UnitQueue queue = UnitQueue.of(it);
              long status = it.newPage();
              InvalidationDescriptor stores = waitWithStatus(status, 7);

              queue.submit(
                  new InvalidationDescriptor(stores.lo() | 1 << 4, stores.hi()),
                  new InvalidationDescriptor(5, 0));

              assertThat(it.int32(status)).isEqualTo(7);
              assertThat(it.isSet(Register.ICS, InvalidationQueueFields.IWC)).isTrue();
              assertThat(queue.head()).isEqualTo(0x20);
            }),
        row(
            "1.9 the ring wraps",
            it -> {
              UnitQueue queue = UnitQueue.of(it);
              InvalidationDescriptor[] most = new InvalidationDescriptor[255];
              Arrays.fill(most, allContexts());
              queue.submit(most);
              long status = it.newPage();

              queue.submit(allContexts(), waitWithStatus(status, 9));

              assertThat(queue.head()).isEqualTo(0x10);
              assertThat(it.int32(status)).isEqualTo(9);
            }),
        row(
            "B113 a tail that meets the head is an empty queue, so one slot stays unused",
            it -> {
              UnitQueue queue = UnitQueue.of(it);
              queue.submit(new InvalidationDescriptor(0, 0));
              InvalidationDescriptor[] rest = new InvalidationDescriptor[254];
              Arrays.fill(rest, allTranslations());
              queue.submit(rest);
              assertThat(it.queue().get("tail").asInt()).isEqualTo(255);

              queue.submit(allTranslations());
              queue.clearError();

              assertThat(queue.stopped()).isFalse();
              assertThat(it.listing("iotlb")).as("nothing was fetched").hasSize(1);
            }));
  }

  private static Stream<Row<BareUnit>> legality() {
    return Stream.of(
        row(
            "B115 register commands do nothing while the queue is on",
            it -> {
              UnitQueue.of(it);

              it.write(Register.CCMD, ContextCommand.global());
              it.write(Register.IOTLB, IotlbCommand.global());

              assertThat(ContextCommand.CAIG.get(it.read(Register.CCMD))).isZero();
              assertThat(ContextCommand.ICC.isSet(it.read(Register.CCMD))).isFalse();
              assertThat(IotlbCommand.IAIG.get(it.read(Register.IOTLB))).isZero();
              assertThat(it.listing("iotlb")).hasSize(1);
            }),
        row(
            "2.9 low address bits inside the range do not count",
            it -> {
              UnitQueue queue = UnitQueue.of(it);

              queue.submit(pageTranslations(DOMAIN, IOVA | 0x2000, 3, false));

              assertThat(queue.stopped()).isFalse();
              assertThat(it.listing("iotlb")).isEmpty();
            }),
        row(
            "2.9 interrupt descriptors are taken, all entries or some",
            it -> {
              UnitQueue queue = UnitQueue.of(it);

              queue.submit(allInterrupts(), interrupts(0x102, 2));

              assertThat(queue.head()).isEqualTo(0x20);
              assertThat(it.counter("/flushes/interruptEntries")).isEqualTo(2);
            }),
        row(
            "the view of the queue names what is in it",
            it -> {
              UnitQueue queue = UnitQueue.of(it);
              queue.submit(deviceContexts(), new InvalidationDescriptor(0, 0));

              assertThat(it.queue().at("/descriptors/0/type").asText()).isEqualTo("DeviceContexts");
              assertThat(it.queue().at("/descriptors/0/fields/DID").asText()).isEqualTo("0x5");
              assertThat(it.queue().get("head").asInt()).isEqualTo(1);
            }));
  }

  private static InvalidationDescriptor deviceContexts() {
    return InvalidationDescriptor.deviceContexts(DOMAIN, X, 0);
  }
}
