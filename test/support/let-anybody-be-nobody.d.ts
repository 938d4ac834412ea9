/** Programs that read backups run as nobody, for which one has to be root: without that they run as they are. */
export declare function letAnybodyBeNobody(): Promise<void>;
