// Prints what each CDK stack of docs/adopt.md is synthesised to, by its name.

import { App } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { Books } from "./books";
import { BooksOverHttpApi } from "./books-over-http-api";

const app = new App({ outdir: "cdk.out" });
const authorizerArn = "arn:aws:lambda:eu-west-1:123456789012:function:books-authorizer";
const stacks = [
  new Books(app, "Books", { authorizerArn }),
  new BooksOverHttpApi(app, "BooksOverHttpApi", { authorizerArn }),
];
const templates = stacks.map((stack) => [stack.stackName, Template.fromStack(stack).toJSON()]);
console.log(JSON.stringify(Object.fromEntries(templates)));
