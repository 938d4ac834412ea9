/** The root of the checkout, also when the tests run from a bundle below it. */
export declare const repository: string;
