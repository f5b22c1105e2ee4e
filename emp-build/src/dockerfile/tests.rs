use super::*;

fn names(text: &str) -> Vec<String> {
    Dockerfile::read(text).stages.into_iter().map(|stage| stage.name).collect()
}

fn faults(text: &str) -> Vec<String> {
    Dockerfile::read(text)
        .faults
        .into_iter()
        .map(|fault| format!("{} {}", &text[fault.span], fault.message))
        .collect()
}

fn ends(text: &str) -> Vec<String> {
    Dockerfile::read(text).ends().map(|stage| stage.name.clone()).collect()
}

#[test]
fn stages_are_found_in_any_case_with_flags_and_over_several_lines() {
    let text = "# syntax=docker/dockerfile:1\nARG V=3\nfrom --platform=$BUILDPLATFORM debian:${V} as Base\n\
        RUN true\nFROM \\\n  # why\n\n  base \\\n  AS comfyui\nFROM scratch\n";
    assert_eq!(names(text), ["base", "comfyui", "2"]);
    let file = Dockerfile::read(text);
    assert_eq!(&text[file.get("BASE").unwrap().span.clone()], "Base");
    assert!(file.get("2").is_some() && file.get("3").is_none());
    assert_eq!(file.faults, []);
}

#[test]
fn what_only_looks_like_a_stage_is_none() {
    assert_eq!(names("FROM a AS b\n# FROM x AS commented\nRUN echo FROM x AS said\n"), ["b"]);
    assert_eq!(names("FROM a AS b\nRUN <<EOF\nFROM x AS heredoc\nEOF\nFROM b AS c\n"), ["b", "c"]);
    assert_eq!(
        names("FROM a AS b\nCOPY <<-\"ONE\" <<TWO /x/\nFROM x AS 1\n\tONE\nFROM x AS 2\nTWO\nFROM b AS c\n"),
        ["b", "c"]
    );
    assert_eq!(names("FROM a AS b\nRUN x \\\nFROM x AS continued\n"), ["b"]);
    assert_eq!(names("FROM a AS b\nRUN echo $((1<<2))\nFROM b AS c"), ["b", "c"], "a shift opens nothing");
}

#[test]
fn a_directive_changes_what_continues_a_line() {
    assert_eq!(names("# escape=`\nFROM a `\n AS b\nRUN dir c:\\\nFROM b AS c\n"), ["b", "c"]);
    assert_eq!(names("FROM a AS b\r\nFROM b AS c\r\n"), ["b", "c"]);
}

#[test]
fn what_others_build_on_is_needed_also_through_an_argument() {
    assert_eq!(ends("FROM a AS one\nFROM a AS two\nFROM a AS last\n"), ["one", "two"]);
    assert_eq!(
        ends(
            "ARG BASE=one\nFROM a AS one\nFROM a AS two\nFROM ${BASE} AS three\nCOPY --from=two / /\nFROM a AS last\n"
        ),
        ["three"]
    );
    assert_eq!(
        ends("FROM a AS one\nFROM a\nRUN --mount=type=bind,from=One,target=/x true\n"),
        Vec::<String>::new()
    );
    assert_eq!(ends("FROM a AS one\nFROM a\nCOPY --from=0 / /\n"), Vec::<String>::new());
}

#[test]
fn what_docker_refuses_is_a_fault_at_its_place() {
    assert_eq!(faults("FROM a AS b\nFROM c AS B\n"), ["B the stage `b` stands twice in this Dockerfile"]);
    assert_eq!(faults("FROM\n"), ["FROM this FROM cannot be read"]);
    assert_eq!(faults("FROM a AS\n"), ["FROM a AS this FROM cannot be read"]);
    assert_eq!(faults("FROM a AS 1b\n"), ["1b `1b` is not the name of a stage"]);
    assert_eq!(faults("RUN x\nFROM a\n"), ["RUN x `RUN` stands before the first FROM"]);
    assert_eq!(faults(""), [" there is no FROM"]);
    assert_eq!(faults("FROM \\"), ["FROM this FROM cannot be read"]);
}

#[test]
fn i21_a_byte_order_mark_is_no_part_of_the_first_word() {
    let text = "\u{feff}# escape=`\nFROM a `\n AS b\nFROM b AS c\n";
    assert_eq!(names(text), ["b", "c"]);
    let text = "\u{feff}FROM a AS base\nFROM base AS 1x\n";
    assert_eq!(faults(text), ["1x `1x` is not the name of a stage"], "places stay those of the file");
}
