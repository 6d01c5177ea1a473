package io.hypercalld.api.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.GuestFrames;
import io.hypercalld.core.hypercall.OrElse;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.pci.Sbdf;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ShapesTest {
  /** One component of each kind. */
  record Everything(
      DomainId domainId,
      Sbdf machineSbdf,
      Word word,
      Gfn gfn,
      @OrElse("7") int count,
      @OrElse("-1") int signed,
      @OrElse("false") boolean flag,
      @OrElse("\"red\"") Color color,
      @OrElse("[]") List<Gfn> frames,
      Optional<String> name) {}

  enum Color {
    RED,
    GREEN
  }

  private static final String LEAST =
      "{'domain_id':3,'machine_sbdf':'03:10.0','word':'0xFFFFFFFFFFFFFFFF','gfn':5}";

  private static <T> T read(Class<T> type, String json) {
    return JsonReader.readAll(
        json.replace('\'', '"').getBytes(StandardCharsets.UTF_8), Shapes.HYPERCALLS.of(type));
  }

  private static String write(Object value) {
    return new String(Shapes.HYPERCALLS.encode(value), StandardCharsets.UTF_8);
  }

  @Test
  void record_withWhatItNeeds_takesDefaultsForTheRest() {
    assertThat(read(Everything.class, LEAST))
        .isEqualTo(
            new Everything(
                new DomainId(3),
                new Sbdf(0, 3, 0x10, 0),
                new Word(-1),
                new Gfn(5),
                7,
                -1,
                false,
                Color.RED,
                List.of(),
                Optional.empty()));
  }

  @Test
  void record_writtenAndRead_isTheSame() {
    Everything value = read(Everything.class, LEAST);

    assertThat(write(value))
        .isEqualTo(
            "{\"domain_id\":3,\"machine_sbdf\":\"0000:03:10.0\",\"word\":\"0xffffffffffffffff\","
                + "\"gfn\":\"0x5\",\"count\":7,\"signed\":-1,\"flag\":false,\"color\":\"red\","
                + "\"frames\":[],\"name\":null}");
    assertThat(read(Everything.class, write(value))).isEqualTo(value);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'count':-1|/count",
        "'count':'7'|/count",
        "'count':2147483648|/count",
        "'flag':0|/flag",
        "'flag':'true'|/flag",
        "'color':'RED'|/color",
        "'color':1|/color",
        "'frames':{}|/frames",
        "'frames':['x']|/frames/0",
        "'frames':[1,[2]]|/frames/1",
        "'name':1|/name",
        "'color~x':1|/color~0x",
        "'a/b':1|/a~1b"
      })
  void member_ofAnotherShape_isRefusedAtItsPlace(String member, String pointer) {
    String body = LEAST.substring(0, LEAST.length() - 1) + "," + member + "}";

    assertThatThrownBy(() -> read(Everything.class, body))
        .isInstanceOfSatisfying(
            InvalidBody.class, wrong -> assertThat(wrong.pointer()).isEqualTo(pointer));
  }

  @ParameterizedTest
  @CsvSource({"0x", "1x0", "0x1g", "'0x 1'", "12", "-0x1", "0x11111111111111111", "''"})
  void word_thatIsNone_isRefused(String text) {
    assertThatThrownBy(() -> read(Word.class, "'" + text + "'")).isInstanceOf(InvalidBody.class);
  }

  @ParameterizedTest
  @CsvSource({"0", "9007199254740991", "'\"0x0\"'", "'\"0XaB\"'", "'\"0x0000000000000001\"'"})
  void word_thatIsOne_isTaken(String json) {
    assertThat(read(Word.class, json)).isNotNull();
  }

  @Test
  void frames_consecutive_stayTwoNumbers() {
    GuestFrames frames = read(GuestFrames.class, "{'first':'0x10','count':4096}");

    assertThat(frames).isEqualTo(GuestFrames.consecutive(new Gfn(0x10), 4096));
    assertThat(write(frames)).isEqualTo("{\"first\":\"0x10\",\"count\":4096}");
  }

  @Test
  void frames_listed_areThose() {
    assertThat(read(GuestFrames.class, "['0x1',2]"))
        .isEqualTo(GuestFrames.of(new Gfn(1), new Gfn(2)));
  }

  @Test
  void nesting_withoutEnd_isRefusedNotFollowed() {
    String deep = "[".repeat(100_000);

    assertThatThrownBy(() -> read(GuestFrames.class, deep)).isInstanceOf(InvalidBody.class);
  }

  @Test
  void schema_ofARecord_saysWhatIsDueAndWhatIsUsual() {
    Map<String, Object> schema = Shapes.HYPERCALLS.of(Everything.class).schema();

    assertThat(schema.get("required"))
        .isEqualTo(List.of("domain_id", "machine_sbdf", "word", "gfn"));
    assertThat(schema.get("additionalProperties")).isEqualTo(false);
    assertThat(schema.get("properties")).asString().contains("default=7", "enum=[red, green]");
  }

  @Test
  void resource_members_areInCamelCase() {
    assertThat(
            new String(
                Shapes.RESOURCES.encode(new GuestFramesShape.Run(new Gfn(1), new Word(2))),
                StandardCharsets.UTF_8))
        .isEqualTo("{\"first\":\"0x1\",\"count\":\"0x2\"}");
    assertThat(new String(Shapes.RESOURCES.encode(Map.of("pageTables", 1)), StandardCharsets.UTF_8))
        .isEqualTo("{\"pageTables\":1}");
  }
}
