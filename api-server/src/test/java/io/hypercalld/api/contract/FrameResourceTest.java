package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.api.scenario.DaemonUnderTest;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** From a guest frame to its entry, to the frame, and back. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FrameResourceTest {
  private final DaemonUnderTest daemon = DaemonUnderTest.on(PlatformSource.named("two-socket"));

  @BeforeAll
  void guest() {
    daemon.post("/v1/domains", "{\"memory\":\"4MiB\"}");
  }

  @AfterAll
  void stop() {
    daemon.close();
  }

  @Test
  void entry_showsItsWordAndFieldsAndTheWayBack() {
    Answer entry = daemon.get("/v1/domains/1/p2m/0x205");

    assertThat(entry.at("/order")).isEqualTo("9");
    assertThat(entry.at("/m2p")).isEqualTo("0x205");
    assertThat(entry.at("/raw")).isEqualTo(entry.at("/walk/2/raw"));
    assertThat(entry.at("/fields/sp")).isEqualTo("0x1");
    assertThat(entry.at("/fields/sa_p2mt")).isEqualTo("0x0");
  }

  @Test
  void frame_namesOwnerUseReferencesAndGuestFrame() {
    String mfn = daemon.get("/v1/domains/1/p2m/0x205").at("/mfn");

    Answer frame = daemon.get("/v1/machine/frames/" + mfn);

    assertThat(frame.at("/owner")).isEqualTo("1");
    assertThat(frame.at("/use")).isEqualTo("guest_ram");
    assertThat(frame.at("/references")).isEqualTo("1");
    assertThat(frame.at("/countInfo")).isEqualTo("0x8000000000000001");
    assertThat(frame.at("/gfn")).isEqualTo("0x205");
  }

  @Test
  void frameBeyondTheMachine_isRefused() {
    assertThat(daemon.get("/v1/machine/frames/0xffffffffff").status()).isEqualTo(404);
  }

  @Test
  void pagingPool_countsItsPages() {
    Answer pool = daemon.get("/v1/domains/1/paging-pool");

    long total = pool.body().get("totalPages").asLong();
    assertThat(pool.body().get("usedPages").asLong() + pool.body().get("freePages").asLong())
        .isEqualTo(total);
    assertThat(pool.body().get("totalBytes").asLong()).isEqualTo(total * 4096);
  }
}
