package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.BareUnit.DOMAIN;
import static io.hypercalld.api.acceptance.BareUnit.X;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.ExtendedCapabilityFields;
import io.hypercalld.iommu.vtd.FaultRecord;
import io.hypercalld.iommu.vtd.FirstLevelEntry;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.PasidDirectoryEntry;
import io.hypercalld.iommu.vtd.PasidEntry;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.RootTableAddress;
import io.hypercalld.iommu.vtd.ScalableContextEntry;
import io.hypercalld.iommu.vtd.ScalableRootEntry;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.List;
import java.util.stream.Stream;

/** Requests with a PASID in scalable mode, over HTTP. */
final class UnitPasidAcceptanceTest implements NumberedBehaviours<BareUnit> {
  private static final int PASID = 7;
  private static final long IOVA = 0x12_3456_7000L;
  private static final long FRAME = 0x8000_0000L;

  @Override
  public BareUnit start() {
    Capabilities scalable = ModelUnit.with(ExtendedCapabilityFields.SMTS, 1);
    scalable = ModelUnit.with(scalable, ExtendedCapabilityFields.FLTS, 1);
    scalable = ModelUnit.with(scalable, ExtendedCapabilityFields.PASID, 1);
    return BareUnit.on(ModelUnit.with(scalable, ExtendedCapabilityFields.PSS, 19));
  }

  @Override
  public void begin(BareUnit it) {
    it.powerOn();
    long contexts = it.newPage();
    long directory = it.newPage();
    long pasids = it.newPage();
    PasidEntry entry = PasidEntry.firstLevel(it.pageTable(), DOMAIN);
    it.poke(it.rootTable() + ScalableRootEntry.offset(X), ScalableRootEntry.to(contexts).word());
    it.poke(
        contexts + ScalableContextEntry.offset(X),
        ScalableContextEntry.PASIDE.set(ScalableContextEntry.to(directory).q0()));
    it.poke(directory, PasidDirectoryEntry.to(pasids).word());
    it.poke(pasids + PasidEntry.offset(PASID), entry.q0(), entry.q1(), entry.q2());
    long table = it.pageTable();
    for (int level = 4; level > 1; level--) {
      long next = it.newPage();
      it.poke(table + SecondStageEntry.offset(IOVA, level), FirstLevelEntry.table(next));
      table = next;
    }
    it.poke(
        table + SecondStageEntry.offset(IOVA, 1),
        FirstLevelEntry.leaf(FRAME, PageSize.SIZE_4K, false));
    it.write(Register.RTADDR, RootTableAddress.TTM.put(RootTableAddress.legacy(it.rootTable()), 1));
    it.command(GlobalCommand.SRTP, true);
    it.command(GlobalCommand.TE, true);
  }

  private static UnitDma dma(BareUnit it, String body) {
    return it.dma(X, "{\"address\":\"0x%x\",%s}".formatted(IOVA, body));
  }

  @Override
  public Stream<Row<BareUnit>> rows() {
    return Stream.of(
        row(
            "3.1 a request in an address space is translated there",
            it -> {
              UnitDma read = dma(it, "\"op\":\"read\",\"length\":4,\"pasid\":7");
              assertThat(read.landedAt(FRAME)).isTrue();
              assertThat(it.listing("iotlb").get(0).get("pasid").asInt()).isEqualTo(PASID);
            }),
        row(
            "3.3 faults of address spaces carry the PASID",
            it -> {
              UnitDma written = dma(it, "\"op\":\"write\",\"data\":\"00000000\",\"pasid\":7");
              assertThat(written.fault()).isEqualTo(0x85);
              assertThat(FaultRecord.PV.getInt(it.record(0).hi())).isEqualTo(PASID);
              assertThat(FaultRecord.PP.isSet(it.record(0).hi())).isTrue();
              assertThat(dma(it, "\"op\":\"read\",\"length\":4,\"pasid\":8").fault())
                  .isEqualTo(0x59);
              assertThat(dma(it, "\"op\":\"read\",\"length\":4").fault()).isEqualTo(0x59);
            }),
        row(
            "3.4 the PASID cache is counted",
            it -> {
              long misses = it.counter("/cache/pasidMisses");
              dma(it, "\"op\":\"read\",\"length\":4,\"pasid\":7");
              dma(it, "\"op\":\"read\",\"length\":4,\"pasid\":7");
              assertThat(it.counter("/cache/pasidMisses")).isEqualTo(misses + 1);
              assertThat(it.counter("/cache/pasidHits")).isEqualTo(1);
              assertThat(it.counter("/flushes/pasid")).isZero();
              assertThat(it.counter("/flushes/pasidIotlb")).isZero();
            }),
        row(
            "3.1 an explanation names every table on the way",
            it -> {
              JsonNode answer =
                  it.daemon()
                      .get(
                          "/v1/explain/dma?sbdf=%s&iova=0x%x&access=read&pasid=7"
                              .formatted(X.in(0), IOVA))
                      .body();
              assertThat(answer.get("verdict").asText()).isEqualTo("maps to 0x80000000");
              assertThat(answer.get("steps").findValuesAsText("table"))
                  .containsSubsequence(
                      List.of("root", "context", "pasid-directory", "pasid", "first-level"));
            }));
  }
}
