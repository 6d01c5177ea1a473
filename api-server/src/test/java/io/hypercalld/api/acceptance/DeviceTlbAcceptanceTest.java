package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.BareUnit.DOMAIN;
import static io.hypercalld.api.acceptance.BareUnit.X;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static io.hypercalld.iommu.vtd.InvalidationDescriptor.deviceTranslations;
import static io.hypercalld.iommu.vtd.InvalidationDescriptor.domainTranslations;
import static io.hypercalld.iommu.vtd.InvalidationDescriptor.waitWithStatus;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.vtd.ContextCommand;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.ExtendedCapabilityFields;
import io.hypercalld.iommu.vtd.FaultRecord;
import io.hypercalld.iommu.vtd.FaultStatus;
import io.hypercalld.iommu.vtd.InvalidationQueueFields;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.stream.Stream;

/**
 * A device that keeps translations, behind a unit that lets it, over HTTP: spec/vtd.md 1.9, 2.9,
 * 3.4.
 */
final class DeviceTlbAcceptanceTest implements NumberedBehaviours<BareUnit> {
  private static final long IOVA = 0x5000;
  private static final String TLB = "/_sim/devices/0000:03:10.2/ats";

  @Override
  public BareUnit start() {
    return BareUnit.on(ModelUnit.with(ExtendedCapabilityFields.DT, 1));
  }

  /** X's context entry has TT=1, and X keeps translations. */
  @Override
  public void begin(BareUnit it) {
    it.translate();
    it.context(X, admitting(it));
    ats(it, true);
  }

  private static ContextEntry admitting(BareUnit it) {
    return new ContextEntry(ContextEntry.TT.put(it.entry().lo(), 1), it.entry().hi());
  }

  private static void context(BareUnit it, ContextEntry entry) {
    it.context(X, entry);
    it.write(Register.CCMD, ContextCommand.global());
  }

  @Override
  public void end(BareUnit it) {
    it.daemon()
        .get("/_sim/faults")
        .body()
        .get("items")
        .forEach(rule -> it.daemon().delete("/_sim/faults/" + rule.get("id").asText()));
  }

  private static void ats(BareUnit it, boolean on) {
    assertThat(it.daemon().post(TLB, "{\"translations\":%s}".formatted(on)).status())
        .isEqualTo(200);
  }

  private static JsonNode kept(BareUnit it) {
    return it.daemon().get(TLB).body().get("kept");
  }

  @Override
  public Stream<Row<BareUnit>> rows() {
    return Stream.of(keeping(), forgetting(), trouble()).flatMap(rows -> rows);
  }

  private static Stream<Row<BareUnit>> keeping() {
    return Stream.of(
        row(
            "3.4 a device keeps what it has asked for, and goes where that says",
            it -> {
              long frame = mapped(it);

              assertThat(it.dmaRead(IOVA + 8, 4).landedAt(frame + 8)).isTrue();

              JsonNode kept = kept(it).get(0);
              assertThat(kept.get("iova").asText()).isEqualTo("0x5000");
              assertThat(kept.get("maddr").asText()).isEqualTo("0x" + Long.toHexString(frame));
              assertThat(kept.get("writable").asBoolean()).isTrue();
            }),
        row(
            "3.4 an IOTLB flush does not reach what a device keeps",
            it -> {
              long frame = mapped(it);
              it.dmaRead(IOVA, 4);
              it.put(IOVA, 1, 0);

              UnitQueue.of(it).submit(domainTranslations(DOMAIN));

              assertThat(it.dmaRead(IOVA, 4).landedAt(frame)).isTrue();
            }),
        row(
            "B33 TT=0 admits neither translation requests nor translated ones, in silence with FPD",
            it -> {
              mapped(it);
              it.context(X, it.entry());
              UnitDma asked = it.dmaRead(IOVA, 4);
              assertThat(asked.fault()).isEqualTo(0xd);
              assertThat(FaultRecord.AT.get(it.record(0).hi())).isEqualTo(1);
              assertThat(kept(it)).isEmpty();

              context(it, admitting(it));
              assertThat(it.dmaRead(IOVA, 4).done()).isTrue();
              context(it, it.entry());
              assertThat(it.dmaRead(IOVA, 4).fault()).isEqualTo(0xd);
              assertThat(FaultRecord.AT.get(it.record(1).hi())).isEqualTo(2);

              context(it, it.entry().withFaultProcessingDisabled(true));
              UnitDma silent = it.dmaRead(IOVA, 4);
              assertThat(silent.fault()).isEqualTo(0xd);
              assertThat(silent.recorded()).isFalse();
            }),
        row(
            "3.1 a page that is not there is no fault: the device does without",
            it -> {
              UnitDma dma = it.dmaRead(0x9000, 4);

              assertThat(dma.done()).isFalse();
              assertThat(dma.fault()).isZero();
              assertThat(it.read(Register.FSTS)).isZero();
            }),
        row(
            "3.1 a translation that permits too little is asked for again",
            it -> {
              long frame = it.newPage();
              it.map(IOVA, frame, BareUnit.READ);
              it.dmaRead(IOVA, 4);
              assertThat(it.dmaWrite(IOVA, 1).done()).isFalse();

              it.map(IOVA, frame, BareUnit.READ_WRITE);
              UnitQueue.of(it).submit(domainTranslations(DOMAIN));

              assertThat(it.dmaWrite(IOVA, 1).done()).isTrue();
            }),
        row(
            "3.4 switching a device's ATS off makes it forget",
            it -> {
              mapped(it);
              it.dmaRead(IOVA, 4);

              ats(it, false);

              assertThat(kept(it)).isEmpty();
              assertThat(it.dmaRead(IOVA, 4).done()).isTrue();
              assertThat(kept(it)).isEmpty();
            }));
  }

  private static Stream<Row<BareUnit>> forgetting() {
    return Stream.of(
        row(
            "2.9 a device-TLB descriptor makes the device forget one page",
            it -> {
              mapped(it);
              it.map(IOVA + 0x1000, it.newPage());
              it.dmaRead(IOVA, 4);
              it.dmaRead(IOVA + 0x1000, 4);

              UnitQueue.of(it).submit(deviceTranslations(X, IOVA, 0));

              assertThat(kept(it)).hasSize(1);
              assertThat(it.counter("/flushes/deviceTlb")).isEqualTo(1);
            }),
        row(
            "2.9 the size of a range is coded in its address",
            it -> {
              for (long iova = 0x4000; iova <= 0x9000; iova += 0x1000) {
                it.map(iova, it.newPage());
                it.dmaRead(iova, 4);
              }

              UnitQueue.of(it).submit(deviceTranslations(X, 0x4000, 2));

              assertThat(kept(it)).hasSize(2);
            }),
        row(
            "2.9 all ones below bit 63 mean everything",
            it -> {
              mapped(it);
              it.dmaRead(IOVA, 4);

              UnitQueue.of(it).submit(deviceTranslations(X, 0, 52));

              assertThat(kept(it)).isEmpty();
            }),
        row(
            "2.9 a page inside drops the superpage that a device keeps",
            it -> {
              long frame = it.newPages(512);
              it.put(
                  0x20_0000,
                  2,
                  SecondStageEntry.leaf(frame, PageSize.SIZE_2M, BareUnit.READ_WRITE));
              assertThat(it.dmaRead(0x20_1000, 4).landedAt(frame + 0x1000)).isTrue();
              assertThat(kept(it).get(0).get("page").asLong()).isEqualTo(2 << 20);

              UnitQueue.of(it).submit(deviceTranslations(X, 0x20_3000, 0));

              assertThat(kept(it)).isEmpty();
            }));
  }

  private static Stream<Row<BareUnit>> trouble() {
    return Stream.of(
        row(
            "1.9 a device that does not answer gives up the wait and stops the queue",
            it -> {
              mapped(it);
              it.dmaRead(IOVA, 4);
              inject(it, "invalidation-timeout");
              UnitQueue queue = UnitQueue.of(it);
              long status = it.newPage();

              queue.submit(
                  deviceTranslations(X, IOVA, 0),
                  waitWithStatus(status, 1),
                  waitWithStatus(status + 8, 2));

              assertThat(it.isSet(Register.FSTS, FaultStatus.ITE)).isTrue();
              assertThat(InvalidationQueueFields.ITESID.get(it.read(Register.IQERCD)))
                  .isEqualTo(X.value());
              assertThat(it.int32(status)).isZero();
              assertThat(it.int32(status + 8)).isZero();
              assertThat(queue.head()).isEqualTo(0x20);
              assertThat(kept(it)).hasSize(1);

              it.write(Register.FSTS, FaultStatus.ITE.mask());

              assertThat(it.int32(status + 8)).isEqualTo(2);
              assertThat(queue.head()).isEqualTo(0x30);
              assertThat(it.read(Register.IQERCD)).isZero();
            }),
        row(
            "1.9 a malformed completion is noted and stops nothing",
            it -> {
              mapped(it);
              it.dmaRead(IOVA, 4);
              inject(it, "malformed-completion");
              UnitQueue queue = UnitQueue.of(it);
              long status = it.newPage();

              queue.submit(deviceTranslations(X, IOVA, 0), waitWithStatus(status, 1));

              assertThat(it.isSet(Register.FSTS, FaultStatus.ICE)).isTrue();
              assertThat(InvalidationQueueFields.ICESID.get(it.read(Register.IQERCD)))
                  .isEqualTo(X.value());
              assertThat(it.int32(status)).isEqualTo(1);

              it.write(Register.FSTS, FaultStatus.ICE.mask());
              assertThat(it.read(Register.FSTS)).isZero();
              assertThat(it.read(Register.IQERCD)).isZero();
            }),
        row(
            "1.7 a time-out is a condition of the fault event",
            it -> {
              it.write(Register.FECTL, 0);
              inject(it, "invalidation-timeout");

              UnitQueue.of(it).submit(deviceTranslations(X, IOVA, 0));

              assertThat(it.counter("/interrupts/events")).isEqualTo(1);
            }));
  }

  private static void inject(BareUnit it, String effect) {
    String rule =
        "{\"match\":{\"command\":\"dev-iotlb\"},\"effect\":{\"type\":\"%s\"}}".formatted(effect);
    assertThat(it.daemon().post("/_sim/faults", rule).status()).isBetween(200, 201);
  }

  private static long mapped(BareUnit it) {
    long frame = it.newPage();
    it.map(IOVA, frame);
    return frame;
  }
}
