//! What runs a handler: AWS's clients for Python and Node.js, an executable of the package, make, and
//! layers; in a template that knows nothing of Keygate.

use std::process::ExitStatus;

use keygate_tests::keygate::wait_for;
use keygate_tests::project::Project;
use keygate_tests::target::Target;
use keygate_tests::venv;

use crate::handlers::BOOTSTRAP;
use crate::processes::is_running;

keygate_tests::tests! { for Target:
    a_template_that_knows_nothing_of_keygate_is_served needs "python-client", "own-gateway";
    a_handler_that_throws_is_a_bad_gateway_and_goes_on needs "python-client", "own-gateway";
    a_handler_that_cannot_be_imported_is_named_with_its_error needs "python-client", "own-gateway";
    layers_are_searched_as_in_lambda needs "python-client", "own-gateway";
    files_of_layers_are_found_in_lists_and_among_words needs "python-client", "own-gateway";
    a_layer_that_cannot_be_had_here_is_named needs "own-gateway";
    a_missing_client_is_named_with_the_command_that_installs_it needs "node", "own-gateway";
    an_interpreter_that_does_not_say_its_version_is_named needs "own-gateway";
    what_is_missing_is_named_for_every_function needs "node", "own-gateway";
    a_bootstrap_leaves_no_process_of_its_own_behind needs "python", "own-gateway";
    a_function_that_make_builds_is_served needs "python", "own-gateway";
    a_function_that_make_does_not_build_is_named needs "own-gateway";
}

/// A template of somebody who has never heard of Keygate, with a function behind one route.
pub(crate) fn foreign(properties: &str) -> String {
    format!(
        "Transform: AWS::Serverless-2016-10-31
Resources:
  Shop:
    Type: AWS::Serverless::Api
    Properties: {{StageName: prod}}
  Greeting:
    Type: AWS::Serverless::Function
{properties}
      Events:
        Greet:
          Type: Api
          Properties: {{RestApiId: !Ref Shop, Path: /greeting, Method: GET}}
"
    )
}

const IN_PYTHON: &str = "    Properties:\n      CodeUri: src/greeting\n      Handler: app.handler\n      Runtime: python3.99";

/// A project whose one function is this Python, with the client in an environment beside the template.
fn foreign_in_python(program: &str) -> Project {
    let programs = venv::programs("awslambdaric");
    Project::new(&foreign(IN_PYTHON))
        .with("src/greeting/app.py", program)
        .with_link(".venv", programs.parent().unwrap())
}

/// The template with what is beside its API.
fn beside(template: &str) -> String {
    let event = "        Nightly: {Type: Schedule, Properties: {Schedule: rate(1 day)}}\n";
    let queue = "  Orders: {Type: AWS::SQS::Queue}\n";
    let events = "      Events:\n";
    template.replacen(events, &format!("{events}{event}"), 1) + queue
}

fn a_template_that_knows_nothing_of_keygate_is_served(target: &Target) {
    let program = "import os\n\ndef handler(event, context):\n    \
                   seen = [event['path'], context.function_name, os.environ['AWS_EXECUTION_ENV'],\n            \
                   os.environ['_HANDLER'], os.environ['LAMBDA_TASK_ROOT'], os.environ['TZ']]\n    \
                   return {'statusCode': 200, 'body': ' '.join(seen)}\n";
    let project = foreign_in_python(program).with("template.yaml", &beside(&foreign(IN_PYTHON)));
    let (gateway, own) = target.own(&["--template", &project.template()]);
    assert!(own.url.ends_with("/prod"), "{}", own.url);
    let line = format!("\ncurl -i {}/greeting\n", own.url);
    let printed = wait_for(|| gateway.stdout().contains(&line).then_some(()));
    assert!(printed.is_some(), "{}", gateway.stdout());
    let other_version = "another version here function=\"Greeting\" runtime=\"python3.99\"";
    let _ = gateway.logged(other_version);
    for left_out in [
        "Orders (AWS::SQS::Queue, line ",
        "Greeting.Events.Nightly (Schedule, line ",
    ] {
        let said = gateway.logged(left_out);
        assert_eq!(said.matches(left_out).count(), 1, "{left_out}: {said}");
    }
    let folder = project.folder().canonicalize().unwrap();
    let expected = format!(
        "/greeting Greeting AWS_Lambda_python3.99 app.handler {}/src/greeting :UTC",
        folder.display()
    );
    assert_eq!(own.get("/greeting").send().expect(200).body, expected);
}

/// The project's function with two layers, of which the later one wins.
fn with_layers(project: Project, variables: &str) -> Project {
    let properties = format!(
        "{IN_PYTHON}
      Layers: [!Ref Base, !Ref Words]
      Environment: {{Variables: {{{variables}}}}}"
    );
    let layers = "  Base:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layers/base}
  Words:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layers/words}
";
    project
        .with("template.yaml", &(foreign(&properties) + layers))
        .with("layers/base/python/words.py", "GREETING = 'base'\n")
        .with("layers/words/python/words.py", "GREETING = 'hello'\n")
        .with("layers/base/text", "of the base")
}

fn layers_are_searched_as_in_lambda(target: &Target) {
    let program = "import os, subprocess, words\n\ndef handler(event, context):\n    \
                   text = open(os.environ['TEXT']).read()\n    \
                   said = subprocess.check_output(['whisper'], text=True)\n    \
                   return {'statusCode': 200, 'body': ' '.join([words.GREETING, text, said])}\n";
    let project = with_layers(foreign_in_python(program), "TEXT: /opt/text")
        .with_executable("layers/words/bin/whisper", "#!/bin/sh\nprintf quietly\n");
    let (_gateway, own) = target.own(&["--template", &project.template()]);
    let greeted = own.get("/greeting").send().expect(200);
    assert_eq!(greeted.body, "hello of the base quietly");
}

fn files_of_layers_are_found_in_lists_and_among_words(target: &Target) {
    let program = "import os, lent\n\ndef handler(event, context):\n    \
                   return {'statusCode': 200, 'body': lent.TEXT + os.environ['WORDS']}\n";
    // Of `/opt/absent` no layer has anything, as Lambda would find.
    let variables = "PYTHONPATH: '/opt/absent:/opt/lib', \
                     WORDS: '--file=/opt/text -x /opt/../../template.yaml https://h/opt/text'";
    let project = with_layers(foreign_in_python(program), variables)
        .with("layers/base/lib/lent.py", "TEXT = 'lent '\n");
    let (_gateway, own) = target.own(&["--template", &project.template()]);
    let folder = project.folder().canonicalize().unwrap();
    let expected = format!(
        "lent --file={}/layers/base/text -x /opt/../../template.yaml https://h/opt/text",
        folder.display()
    );
    assert_eq!(own.get("/greeting").send().expect(200).body, expected);
}

fn a_layer_that_cannot_be_had_here_is_named(target: &Target) {
    let project = || Project::new("").with("src/greeting/app.py", "");
    let with_extension =
        with_layers(project(), "").with_executable("layers/words/extensions/watch", "#!/bin/sh\n");
    let without_folder = with_layers(project(), "");
    std::fs::remove_dir_all(without_folder.folder().join("layers/base")).unwrap();
    for (project, words) in [
        (
            with_extension,
            ["Greeting", "layers/words holds extensions"],
        ),
        (without_folder, ["Greeting", "layers/base, is no folder"]),
        (
            with_layers(project(), "TEXT: /opt/other"),
            ["TEXT", "names /opt/other"],
        ),
        (
            with_layers(project(), "TEXT: /opt/../../src/greeting/app.py"),
            ["TEXT", "names /opt/../../src"],
        ),
        (
            with_layers(project(), "AWS_LAMBDA_EXEC_WRAPPER: /opt/text"),
            ["EXEC_WRAPPER", "not support"],
        ),
    ] {
        let (_, said) = refused(target, &project);
        for word in words {
            assert!(said.contains(word), "{word}: {said}");
        }
    }
}

fn a_handler_that_throws_is_a_bad_gateway_and_goes_on(target: &Target) {
    let program = "def handler(event, context):\n    \
                   if event['queryStringParameters']: raise ValueError('no such greeting')\n    \
                   return {'statusCode': 200, 'body': 'hello'}\n";
    let project = foreign_in_python(program);
    let (gateway, own) = target.own(&["--template", &project.template()]);
    own.get("/greeting?fail=1").send().expect(502);
    own.get("/greeting").send().expect(200);
    let _ = gateway.logged("no such greeting");
}

/// A gateway that builds what the template names does not start; what it said.
#[track_caller]
pub(crate) fn refused(target: &Target, project: &Project) -> (ExitStatus, String) {
    let template = project.template();
    match target
        .build()
        .try_start_building(&["--template", &template])
    {
        Ok(_) => panic!("keygate starts"),
        Err(refused) => refused,
    }
}

fn a_handler_that_cannot_be_imported_is_named_with_its_error(target: &Target) {
    let project = foreign_in_python("import no_such_module\n");
    let (status, said) = refused(target, &project);
    assert_eq!(status.code(), Some(1), "{said}");
    for words in [
        "No module named 'no_such_module'",
        "the function Greeting does not start",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

fn a_missing_client_is_named_with_the_command_that_installs_it(target: &Target) {
    let node = IN_PYTHON.replace("python3.99", "nodejs24.x");
    let without = Project::new(&foreign(&node)).with("src/greeting/app.mjs", "");
    // A Python that has nothing installed, with pip and, as `uv venv` makes it, without. It reads what it
    // is given, which is nothing of the gateway's.
    let python = |project: Project| {
        project.with_executable(".venv/bin/python", "#!/bin/sh\ncat\necho 3.13\nexit 1\n")
    };
    let in_python = || python(Project::new(&foreign(IN_PYTHON)).with("src/greeting/app.py", ""));
    let with_pip = in_python().with_executable(".venv/bin/pip", "");
    for (project, before, after) in [
        (
            without,
            "npm install --prefix ",
            "/src/greeting aws-lambda-ric`",
        ),
        (with_pip, "", "/.venv/bin/pip install awslambdaric`"),
        (
            in_python(),
            "uv pip install --python ",
            "/.venv awslambdaric`",
        ),
    ] {
        let (status, said) = refused(target, &project);
        assert_eq!(status.code(), Some(1), "{said}");
        let folder = project.folder().canonicalize().unwrap();
        let command = format!("run `{before}{}{after}", folder.display());
        assert!(said.trim_end().ends_with(&command), "{command}: {said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    }
}

fn an_interpreter_that_does_not_say_its_version_is_named(target: &Target) {
    let project = Project::new(&foreign(IN_PYTHON))
        .with("src/greeting/app.py", "")
        .with_executable(".venv/bin/python", "#!/bin/sh\nexec sleep 600\n");
    let (status, said) = refused(target, &project);
    assert_eq!(status.code(), Some(1), "{said}");
    let words = "/.venv/bin/python does not say its version";
    assert!(said.contains(words) && said.lines().count() == 1, "{said}");
}

fn what_is_missing_is_named_for_every_function(target: &Target) {
    let node = IN_PYTHON.replace("python3.99", "nodejs24.x");
    let second = foreign(&node)
        .replace("Greeting:", "Other:")
        .replace("/greeting,", "/other,");
    let (_, second) = second.split_once("  Other:").unwrap();
    let template = format!("{}  Other:{second}", foreign(IN_PYTHON));
    let project = Project::new(&template)
        .with("src/greeting/app.py", "")
        .with_executable(".venv/bin/python", "#!/bin/sh\nexit 127\n");
    let (_, said) = refused(target, &project);
    let lines: Vec<&str> = said.trim_end().lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(
        lines[0].starts_with("keygate: Greeting: ") && lines[0].contains("no "),
        "{said}"
    );
    assert!(
        lines[1].starts_with("Other: ") && lines[1].contains("npm install"),
        "{said}"
    );
}

fn a_bootstrap_leaves_no_process_of_its_own_behind(target: &Target) {
    let shell = "#!/bin/sh\nsleep 600 &\nexport SLEEPER=$!\npython3 handler.py\n";
    let properties = "    Properties:\n      CodeUri: src\n      Runtime: provided.al2";
    let program = BOOTSTRAP
        .replace(
            "[\"requestContext\"][\"authorizer\"][\"principal\"]",
            "[\"path\"]",
        )
        .replace("{caller} by Python", "{os.environ['SLEEPER']}");
    let project = Project::new(&foreign(properties))
        .with_executable("src/bootstrap", shell)
        .with("src/handler.py", &program);
    let (gateway, own) = target.own(&["--template", &project.template()]);
    let process: u32 = own
        .get("/greeting")
        .send()
        .expect(200)
        .body
        .parse()
        .unwrap();
    assert!(is_running(process));
    assert!(gateway.stop().success());
    wait_for(|| (!is_running(process)).then_some(())).expect("the process of the script ends");
}

/// A function that make builds from a file of another name.
pub(crate) const MADE: &str = "    Metadata: {BuildMethod: makefile}
    Properties:
      CodeUri: src
      Runtime: provided.al2023";

fn a_function_that_make_builds_is_served(target: &Target) {
    let rule = "build-Greeting:\n\tcp greeting.py $(ARTIFACTS_DIR)/bootstrap\n";
    let program = BOOTSTRAP.replace(
        "[\"requestContext\"][\"authorizer\"][\"principal\"]",
        "[\"path\"]",
    );
    let project = Project::new(&foreign(MADE))
        .with("src/Makefile", rule)
        .with_executable("src/greeting.py", &program);
    let template = project.template();
    let gateway = target
        .build()
        .try_start_building(&["--template", &template]);
    let gateway = gateway.unwrap_or_else(|(status, said)| panic!("{status}: {said}"));
    let greeted = target.reaching(&gateway).get("/greeting").send();
    assert_eq!(greeted.expect(200).body, "/greeting by Python");
    let place = project.folder().join("src/bootstrap");
    assert!(!place.exists(), "it is built among the sources");
    assert!(gateway.stop().success());

    // As `sam build` leaves it, in a folder of the function's name.
    let built = Project::new("").with_executable("Greeting/bootstrap", &program);
    let functions = built.folder().to_str().unwrap();
    let (_gateway, own) = target.own(&["--template", &template, "--functions", functions]);
    let greeted = own.get("/greeting").send().expect(200);
    assert_eq!(greeted.body, "/greeting by Python");
}

fn a_function_that_make_does_not_build_is_named(target: &Target) {
    for (rule, words) in [
        (
            "build-Greeting:\n\techo out of paper; exit 3\n",
            vec!["out of paper", "Greeting does not build"],
        ),
        ("build-Other:\n\ttrue\n", vec!["build-Greeting"]),
        (
            "build-Greeting:\n\ttrue\n",
            vec!["no executable file", "/Greeting/bootstrap"],
        ),
    ] {
        let project = Project::new(&foreign(MADE)).with("src/Makefile", rule);
        let (status, said) = refused(target, &project);
        assert_eq!(status.code(), Some(1), "{said}");
        for word in words {
            assert!(said.contains(word), "{word}: {said}");
        }
    }
}
