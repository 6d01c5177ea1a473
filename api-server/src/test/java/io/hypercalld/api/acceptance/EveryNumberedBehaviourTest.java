package io.hypercalld.api.acceptance;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The suites together have one row for each behaviour of spec/vtd.md 7, and no number twice; at
 * least one for each of spec/xen-core.md 7, whose last is that all is consistent after each; and at
 * least one for each scenario of a document.
 */
class EveryNumberedBehaviourTest {
  private static final int BEHAVIOURS = 182;
  private static final Pattern LEADING = Pattern.compile("^(?:\\d+(?:, | and |: | ))+");
  private static final Pattern NUMBER = Pattern.compile("\\bB(\\d+)");

  @Test
  void suites_together_haveEveryNumberOnce() throws Exception {
    List<Integer> numbers =
        suites().stream()
            .flatMap(NumberedBehaviours::rows)
            .flatMap(row -> numbersOf(row.name()))
            .sorted()
            .toList();

    assertThat(numbers)
        .containsExactlyElementsOf(IntStream.rangeClosed(1, BEHAVIOURS).boxed().toList());
  }

  @ParameterizedTest(name = "{0}: 1 to {1}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          spec/xen-core.md 7 | 99 | Reservations Foreign Pod LogDirty Sharing Preemption Domctl Toolstack Grant \
                                   GrantCopy EventChannel DeviceModelFraming IoServer IoDispatch MemoryType \
                                   ModelInterrupt IoBroadcast
          spec/documents.md 1.4 | 14 | DeviceTables TableCost
          spec/documents.md 2.4 | 19 | Viommu Reachability ManyVcpus IommuContexts
          spec/documents.md 3.4 | 16 | PageClaim
          spec/documents.md 4.4 | 16 | AddressMode
          spec/documents.md 5.4 | 16 | DomainIdScenarios
          """)
  void suites_ofAChapter_haveEveryNumber(String chapter, int last, String beginnings)
      throws Exception {
    List<String> names = List.of(beginnings.split(" +"));

    assertThat(
            classes()
                .filter(type -> names.stream().anyMatch(type.getSimpleName()::startsWith))
                .flatMap(EveryNumberedBehaviourTest::namesOfTests)
                .flatMap(EveryNumberedBehaviourTest::leadingNumbers))
        .as(chapter)
        .containsAll(IntStream.rangeClosed(1, last).boxed().toList());
  }

  /** Of its rows, where it is a suite, and of single tests. */
  private static Stream<String> namesOfTests(Class<?> type) {
    Stream<String> single =
        Stream.of(type.getDeclaredMethods()).flatMap(EveryNumberedBehaviourTest::nameOf);
    return NumberedBehaviours.class.isAssignableFrom(type)
        ? Stream.concat(single, suite(type).rows().map(NumberedBehaviours.Row::name))
        : single;
  }

  private static Stream<String> nameOf(Method test) {
    return Stream.concat(
        Stream.ofNullable(test.getAnnotation(DisplayName.class)).map(DisplayName::value),
        Stream.ofNullable(test.getAnnotation(ParameterizedTest.class))
            .map(ParameterizedTest::name));
  }

  /** Of a name such as "7 and 8 ...". */
  private static Stream<Integer> leadingNumbers(String row) {
    Matcher leading = LEADING.matcher(row);
    return leading.find()
        ? Pattern.compile("\\d+")
            .matcher(leading.group())
            .results()
            .map(each -> Integer.valueOf(each.group()))
        : Stream.empty();
  }

  private static Stream<Integer> numbersOf(String row) {
    Matcher matcher = NUMBER.matcher(row);
    return matcher
        .results()
        .map(MatchResult::group)
        .map(each -> Integer.valueOf(each.substring(1)));
  }

  private static List<NumberedBehaviours<?>> suites() throws IOException, URISyntaxException {
    return classes()
        .filter(NumberedBehaviours.class::isAssignableFrom)
        .<NumberedBehaviours<?>>map(EveryNumberedBehaviourTest::suite)
        .toList();
  }

  /** All tests that are beside this one. */
  private static Stream<Class<?>> classes() throws IOException, URISyntaxException {
    Class<?> here = EveryNumberedBehaviourTest.class;
    Path classes = Path.of(requireNonNull(here.getResource(".")).toURI());
    try (Stream<Path> files = Files.list(classes)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith("Test.class"))
          .map(name -> named(here.getPackageName() + "." + name.replace(".class", "")))
          .filter(type -> !Modifier.isAbstract(type.getModifiers()))
          .<Class<?>>map(type -> type)
          .toList()
          .stream();
    }
  }

  private static Class<?> named(String name) {
    try {
      return Class.forName(name);
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
  }

  private static NumberedBehaviours<?> suite(Class<?> type) {
    try {
      return (NumberedBehaviours<?>) type.getDeclaredConstructor().newInstance();
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }
}
